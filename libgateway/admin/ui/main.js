// The page: which view is open, one question after the other every two seconds, the key, and what went wrong.

import { Refusal, get, key } from "./api.js";
import { $, badge, rate, replace } from "./dom.js";
import * as processes from "./processes.js";
import * as routes from "./routes.js";
import * as upstreams from "./upstreams.js";
import * as revisions from "./revisions.js";
import * as explain from "./explain.js";

const views = { processes, routes, upstreams, revisions, explain };
const pause = 2000;
let open = "";
let timer = 0;
let asked = 0;

// What a poll could not do goes with the next one that can; what a click could not do stays until the next click.
let lasting = false;

function complain(error) {
    $("alert").hidden = !error;
    replace($("alert"), error ? error.message : "");
    lasting = false;
}

function fail(error) {
    if (!(error instanceof Refusal)) throw error;
    if (error.locked) return lock(error);
    complain(error);
    lasting = true;
}

function say(words) {
    complain(null);
    $("note").hidden = !words;
    replace($("note"), words);
}

function lock(error) {
    clearTimeout(timer);
    key.forget();
    for (const name of Object.keys(views)) $(name).hidden = true;
    for (const id of ["summary", "views", "note"]) $(id).hidden = true;
    $("key-form").hidden = false;
    complain(error.message ? error : null);
    $("key").focus();
}

const kinds = { ready: "good", degraded: "warn", loading: "warn" };

function summarise(status) {
    replace($("state"), status.state);
    $("state").className = "badge " + (kinds[status.state] || "bad");
    $("state").title = status.not_ready;
    replace($("revision"), String(status.revision));
    const total = processes.rateOf();
    replace($("rate"), total === undefined ? "" : `${rate(total)} requests/s`);
    replace($("who"), `${status.key.name} `, badge(status.key.role, "plain"));
    $("forget").hidden = !key.get();
    $("summary").hidden = $("views").hidden = false;
    document.title = `gateway: ${status.state}`;
}

function enter(name) {
    open = name;
    for (const [other, view] of Object.entries(views)) {
        $(other).hidden = other !== name;
        const link = document.querySelector(`nav a[href="#${other}"]`);
        if (other === name) link.setAttribute("aria-current", "page");
        else link.removeAttribute("aria-current");
    }
}

// Asks again, now and then every two seconds; answers to an earlier question come too late and are left out.
async function refresh() {
    clearTimeout(timer);
    const turn = ++asked;
    try {
        const status = await get("status");
        if (turn !== asked) return;
        processes.note(status);
        const wanted = location.hash.slice(1);
        const name = views[wanted] ? wanted : open || "processes";
        const answer = await views[name].ask(status);
        if (turn !== asked) return;
        $("key-form").hidden = true;
        summarise(status);
        if (name !== open) enter(name);
        views[name].show(status, answer);
        if (!lasting) complain(null);
    } catch (error) {
        if (turn !== asked) return;
        if (!(error instanceof Refusal)) throw error;
        if (error.locked) return lock(error);
        complain(error);
    }
    if (document.visibilityState === "visible") timer = setTimeout(refresh, pause);
}

$("key-form").addEventListener("submit", (event) => {
    event.preventDefault();
    key.set($("key").value.trim());
    $("key").value = "";
    refresh();
});
$("forget").addEventListener("click", () => {
    asked++;
    lock(new Refusal(""));
});
window.addEventListener("hashchange", () => {
    say("");
    refresh();
});
document.addEventListener("visibilitychange", () => {
    if (document.visibilityState === "visible" && $("key-form").hidden) refresh();
});
for (const view of Object.values(views)) view.start({ refresh, say, fail });
refresh();
