// From counts that only grow to what happened lately: the newest answer against one about ten seconds older.

const span = 10500;

export class Samples {
    #all = new Map();

    // `count`: {total, classes, times}, or any part of it.
    add(key, clock, count) {
        let list = this.#all.get(key) || [];
        const last = list[list.length - 1];
        if (last && (last.clock >= clock || last.count.total > count.total)) list = [];
        list.push({ clock, count });
        while (list.length > 2 && clock - list[1].clock >= span) list.shift();
        this.#all.set(key, list);
    }

    // Forgets what was not told about for a while.
    prune(clock) {
        for (const [key, list] of this.#all) {
            if (clock - list[list.length - 1].clock > 2 * span) this.#all.delete(key);
        }
    }

    // Nothing before the second answer.
    lately(key) {
        const list = this.#all.get(key) || [];
        if (list.length < 2) return undefined;
        const first = list[0], last = list[list.length - 1];
        const seconds = (last.clock - first.clock) / 1000;
        const answers = last.count.total - first.count.total;
        return { seconds, answers, rate: answers / seconds, from: first.count, to: last.count };
    }
}

// Share of each class of the answers in between.
export function shares(lately) {
    const parts = lately.to.classes.map((value, i) => value - lately.from.classes[i]);
    return parts.map((value) => (lately.answers > 0 ? value / lately.answers : 0));
}

// A time that `share` of what ended in between did not take longer than; inside a bucket a straight line is assumed.
export function quantile(lately, bounds, share) {
    const counts = new Map(lately.to.times);
    for (const [bucket, value] of lately.from.times) counts.set(bucket, (counts.get(bucket) || 0) - value);
    const list = [...counts].filter(([, value]) => value > 0).sort((a, b) => a[0] - b[0]);
    const wanted = share * list.reduce((sum, [, value]) => sum + value, 0);
    let seen = 0;
    for (const [bucket, value] of list) {
        if (seen + value >= wanted) {
            const low = bucket > 0 ? bounds[bucket - 1] : 0;
            return low + ((bounds[bucket] - low) * (wanted - seen)) / value;
        }
        seen += value;
    }
    return undefined;
}
