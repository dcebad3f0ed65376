// Why a request goes where it goes: asked of the very code that matches live traffic.

import { get } from "./api.js";
import { endpoint } from "./upstreams.js";
import { $, badge, head, make, number, replace, text } from "./dom.js";

let page;

export function start(of) {
    page = of;
    $("explain-form").addEventListener("submit", (event) => {
        event.preventDefault();
        answer();
    });
}
export const ask = async () => null;
export function show() {}

function table(titles, rows) {
    const figures = ["Priority", "Weight"];
    const kind = (title) => (figures.includes(title) ? { scope: "col", class: "number" } : { scope: "col" });
    const line = make("tr", {}, ...titles.map((title) => make("th", kind(title), title)));
    return make("div", { class: "wide" }, make("table", {}, make("thead", {}, line), make("tbody", {}, ...rows)));
}

function chain(list) {
    if (!list.length) return [make("p", {}, "No plugin runs.")];
    const rows = list.map((plugin) => {
        const config = make("details", {}, make("summary", {}, "show"), make("pre", {}, JSON.stringify(plugin.config, null, 2)));
        const name = head(plugin.plugin);
        if (!plugin.enabled) name.append(" ", badge("off", "plain"));
        return make("tr", {}, name, number(String(plugin.priority)), text(plugin.source), text(plugin.scope), text(config));
    });
    return [table(["Plugin", "Priority", "Configured by", "Scope", "Configuration"], rows)];
}

function candidates(upstream) {
    if (!upstream) return [];
    const rows = upstream.nodes.map((node) =>
        make("tr", {}, make("th", { scope: "row" }, make("code", {}, endpoint(node))), number(String(node.weight ?? 1)),
            number(String(node.priority ?? 0))));
    const title = make("h3", {}, `Candidates of ${upstream.source}, ${upstream.type}`);
    return [title, rows.length ? table(["Endpoint", "Weight", "Priority"], rows) : make("p", {}, "It has no endpoint.")];
}

function passed(title, list) {
    if (!list.length) return [];
    const rows = list.map((one) => make("tr", {}, head(one.route), text(make("code", {}, one.uri)), text(one.failed)));
    return [make("h3", {}, title), table(["Route", "Path", "First condition that failed"], rows)];
}

function matched(told) {
    const name = told.route.name ? ` (${told.route.name})` : "";
    const facts = [`${told.method} ${told.host}${told.path} matches ${told.pattern}`, `defined in ${told.route.where}`];
    return [
        make("p", { class: "verdict" }, "Route ", make("strong", {}, told.route.id), `${name}: `,
            badge(told.outcome, told.outcome === "proxied" ? "good" : "bad")),
        make("p", { class: "quiet" }, facts.join("; ")),
        make("h3", {}, "Plugins in the order in which they run"), ...chain(told.chain), ...candidates(told.upstream),
        ...passed("Looked at before", told.considered),
    ];
}

function missed(told) {
    const nearest = passed("Nearest routes", told.nearest);
    return [
        make("p", { class: "verdict" }, "No route: ", badge("404", "bad")),
        make("p", { class: "quiet" }, `${told.method} ${told.host}${told.path}`),
        ...(nearest.length ? nearest : [make("p", {}, "No route comes near.")]),
    ];
}

async function answer() {
    const question = {
        method: $("explain-method").value.trim(), url: $("explain-url").value.trim(),
        headers: $("explain-headers").value, from: $("explain-from").value.trim(),
    };
    try {
        const told = await get("explain", question);
        page.say("");
        replace($("explain-answer"), ...(told.route ? matched(told) : missed(told)));
    } catch (error) {
        replace($("explain-answer"));
        page.fail(error);
    }
}
