// Routes, the busiest first, with what happened on them in the last ten seconds.

import { get } from "./api.js";
import { Samples, quantile, shares } from "./rates.js";
import { $, badge, count, head, listTools, make, milliseconds, none, number, pages, rate, replace, show as fill, text, under } from "./dom.js";

const most = 25;
const samples = new Samples();
const wanted = { filter: "", from: 0 };
let bounds = [];

export function start({ refresh }) {
    listTools("route", wanted, refresh);
}

export async function ask() {
    const answer = await get("routes", { ...wanted, most });
    bounds = answer.bounds_ms;
    for (const route of answer.list) {
        // One that nobody has asked for yet has no series: its first request is the difference to nothing.
        const { classes, times } = route.count || { classes: [0, 0, 0, 0, 0, 0], times: [] };
        samples.add(route.id, answer.clock_ms, { total: classes.reduce((sum, value) => sum + value, 0), classes, times });
    }
    samples.prune(answer.clock_ms);
    return answer;
}

function percent(share) {
    if (share === 0) return none;
    if (share < 0.001) return "< 0.1 %";
    return (share * 100).toFixed(share < 0.1 && share * 100 % 1 ? 1 : 0) + " %";
}

function traffic(route, uncounted) {
    if (!route.count && uncounted > 0) return ["not counted", none, none, none, none, none, none].map((word) => number(word));
    const lately = samples.lately(route.id);
    if (!lately) return ["\u2026", none, none, none, none, none, none].map((word) => number(word));
    const share = shares(lately);
    return [
        number(rate(lately.rate)),
        number(percent(share[2] + share[1])), number(percent(share[3])), number(percent(share[4])),
        number(percent(share[5] + share[0]), share[5] + share[0] > 0 ? "bad-number" : ""),
        number(milliseconds(quantile(lately, bounds, 0.5))), number(milliseconds(quantile(lately, bounds, 0.99))),
    ];
}

function matches(route) {
    const cell = text("");
    const methods = route.methods ? route.methods.join(" ") + " " : "";
    const paths = route.uri.length > 3 ? [...route.uri.slice(0, 3), `and ${route.uri.length - 3} more`] : route.uri;
    cell.append(make("code", {}, methods + paths.join(", ")));
    if (route.host.length) cell.append(under(route.host.slice(0, 3).join(", ") + (route.host.length > 3 ? ", \u2026" : "")));
    return cell;
}

function row(route, uncounted) {
    const name = head(route.id);
    if (route.name) name.append(under(route.name));
    if (!route.enabled) name.append(" ", badge("off", "plain"));
    name.title = `defined in ${route.where}`;
    const plugins = text("");
    for (const plugin of route.plugins)
        plugins.append(make("span", { class: "chip", title: `from ${plugin.source}` }, plugin.name));
    if (!route.plugins.length) plugins.append(none);
    return { key: route.id, cells: [name, matches(route), ...traffic(route, uncounted), plugins] };
}

export function show(status, answer) {
    fill($("route-rows"), answer.list.map((route) => row(route, answer.uncounted)));
    pages($("route-pages"), answer.total, wanted.from, most);
    const words = ["Figures are of the last ten seconds, all workers together; the order is that of all requests so far."];
    words.push("1xx count with 2xx, requests that ended without a status with 5xx.");
    if (answer.global_plugins.length)
        words.push(`On every request: ${answer.global_plugins.map((plugin) => plugin.name).join(", ")}.`);
    if (answer.uncounted)
        words.push(`${count(answer.uncounted)} requests went to routes beyond those that there is room to count.`);
    replace($("route-note"), words.join(" "));
}
