// Master, control and workers, what they listen on, and what is in force.

import { Samples } from "./rates.js";
import { $, badge, count, head, make, milliseconds, none, number, rate, replace, show as fill, text, time, under } from "./dom.js";

const samples = new Samples();
let living = [];

export function start() {}
export const ask = async () => null;

export function note(status) {
    living = status.workers.map((worker) => `${worker.index}.${worker.incarnation}`);
    for (const worker of status.workers)
        samples.add(`${worker.index}.${worker.incarnation}`, status.clock_ms, { total: worker.requests });
    samples.prune(status.clock_ms);
}

// Of all workers together; nothing before the second answer.
export function rateOf() {
    const list = living.map((id) => samples.lately(id)).filter(Boolean);
    return list.length ? list.reduce((sum, one) => sum + one.rate, 0) : undefined;
}

function health(worker) {
    if (worker.strays) return badge("strays", "bad");
    const kind = { ready: "good", starting: "warn", lagging: "warn", draining: "plain" }[worker.state] || "bad";
    return badge(worker.state, kind);
}

function process(name, about, state, revision) {
    const blank = () => number(none);
    return {
        key: name,
        cells: [head(name, under(`since ${time(about.started)}`)), number(String(about.pid)), text(badge(state, "good")), revision,
            blank(), blank(), blank(), blank(), blank()],
    };
}

function row(worker, status) {
    const id = `${worker.index}.${worker.incarnation}`;
    const lately = samples.lately(id);
    const behind = worker.revision < status.revision;
    const state = text(health(worker));
    if (worker.lagging_since) state.append(under(`since ${time(worker.lagging_since)}`));
    return {
        key: id,
        cells: [
            head(`worker ${worker.index}`), number(String(worker.pid)), state,
            number(String(worker.revision), behind ? "bad-number" : ""),
            number(count(worker.connections)), number(rate(lately && lately.rate)), number(count(worker.requests)),
            number(milliseconds(worker.longest_turn_us / 1000)),
            number(count(worker.crashes), worker.crashes ? "bad-number" : ""),
        ],
    };
}

function facts(status) {
    const last = status.last_reload;
    const list = [
        ["State", status.not_ready ? `${status.state}: ${status.not_ready}` : status.state],
        ["Version", status.version],
        ["Route file", status.source],
        ["Store", status.store_problem ? `${status.store}: ${status.store_problem}` : status.store],
        ["In force since", time(status.changed_at)],
        ["Digest", status.digest],
        ["Last change", `${time(last.time)} by ${last.by}: ${last.result}`],
        ["Errors", last.errors.join("\n")],
        ["Warnings", last.warnings.join("\n")],
        ["On trial", status.trial],
        ["Upgrade", status.upgrade_note],
    ];
    return list.filter(([, words]) => words).flatMap(([name, words]) => [make("dt", {}, name), make("dd", {}, words)]);
}

export function show(status) {
    fill($("process-rows"), [
        process("master", status.master, "running", number(none)),
        process("control", status.control, "running", number(String(status.revision))),
        ...status.workers.map((worker) => row(worker, status)),
    ]);
    fill($("listener-rows"), status.listeners.map((listener) => ({
        key: listener.listener + listener.address,
        cells: [head(listener.listener), text(make("code", {}, listener.address)), text(listener.proxy_protocol ? "yes" : "no")],
    })));
    replace($("facts"), ...facts(status));
}
