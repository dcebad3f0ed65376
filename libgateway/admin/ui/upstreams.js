// Upstreams with their endpoints, those of services and routes too.

import { get } from "./api.js";
import { $, badge, head, listTools, make, none, number, pages, replace, text, under } from "./dom.js";

const most = 50;
const wanted = { filter: "", from: 0 };

export function start({ refresh }) {
    listTools("upstream", wanted, refresh);
}

// They change with a revision, not with traffic: what was told of one is kept.
let kept = { of: "", answer: null };

export async function ask(status) {
    const of = JSON.stringify([status.revision, wanted]);
    if (kept.of !== of) kept = { of, answer: await get("upstreams", { ...wanted, most }) };
    return kept.answer;
}

const kinds = { healthy: "good", unhealthy: "bad" };

export function endpoint(node) {
    const host = node.host.includes(":") && !node.host.startsWith("[") ? `[${node.host}]` : node.host;
    return node.port ? `${host}:${node.port}` : host;
}

function rowsOf(upstream) {
    const nodes = upstream.nodes.length ? upstream.nodes : [null];
    return nodes.map((node, i) => {
        const row = make("tr");
        if (i === 0) {
            const name = head(upstream.owner);
            if (upstream.name) name.append(under(upstream.name));
            const policy = text(upstream.type);
            if (upstream.scheme !== "http") policy.append(under(upstream.scheme));
            for (const cell of [name, policy]) cell.rowSpan = nodes.length;
            row.append(name, policy);
        }
        if (!node) row.append(text("no endpoint"), number(none), number(none), text(none));
        else
            row.append(text(make("code", {}, endpoint(node))), number(String(node.weight ?? 1)), number(String(node.priority ?? 0)),
                text(badge(node.health, kinds[node.health] || "plain")));
        return row;
    });
}

export function show(status, answer) {
    replace($("upstream-rows"), ...answer.list.flatMap(rowsOf));
    pages($("upstream-pages"), answer.total, wanted.from, most);
}
