// Two states of an object, line by line.

import { make } from "./dom.js";

const most = 600;  // lines; longer objects are shown whole, before and after

const lines = (object) => (object === null ? [] : JSON.stringify(object, null, 2).split("\n"));

// Lengths of the longest common part of what follows each pair of lines.
function table(a, b) {
    const lengths = Array.from({ length: a.length + 1 }, () => new Uint16Array(b.length + 1));
    for (let i = a.length - 1; i >= 0; i--)
        for (let j = b.length - 1; j >= 0; j--)
            lengths[i][j] = a[i] === b[j] ? lengths[i + 1][j + 1] + 1 : Math.max(lengths[i + 1][j], lengths[i][j + 1]);
    return lengths;
}

// [sign, line] with sign "-", "+" or " ".
export function compare(before, after) {
    const a = lines(before), b = lines(after);
    if (a.length > most || b.length > most) return [...a.map((line) => ["-", line]), ...b.map((line) => ["+", line])];
    const lengths = table(a, b), result = [];
    let i = 0, j = 0;
    while (i < a.length || j < b.length) {
        if (i < a.length && j < b.length && a[i] === b[j]) result.push([" ", a[i++], j++]);
        else if (j >= b.length || (i < a.length && lengths[i + 1][j] >= lengths[i][j + 1])) result.push(["-", a[i++]]);
        else result.push(["+", b[j++]]);
    }
    return result.map(([sign, line]) => [sign, line]);
}

export function describe(change) {
    const kind = { "+": "plus", "-": "minus" };
    const block = make("pre");
    for (const [sign, line] of compare(change.before, change.after))
        block.append(make("span", kind[sign] ? { class: kind[sign] } : {}, `${sign} ${line}\n`));
    const owner = change.owner === "file" ? " in the route file" : "";
    return make("div", { class: "change" }, make("h4", {}, `${change.object} ${change.change}${owner}`), block);
}
