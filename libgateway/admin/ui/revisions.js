// The history: what each revision changed, and the way back.

import { get, post } from "./api.js";
import { describe } from "./difference.js";
import { $, badge, count, head, make, none, number, replace, show as fill, text, time, under } from "./dom.js";

let most = 20;
let page;
let chosen = 0;
let kept = { of: "", list: [] };

export function start(of) {
    page = of;
    $("more-revisions").addEventListener("click", () => {
        most = Math.min(most * 2, 500);
        page.refresh();
    });
    $("revision-rows").addEventListener("click", (event) => {
        const { difference, rollback } = event.target.dataset;
        if (difference) tell(Number(difference));
        if (rollback) confirm(Number(rollback));
    });
    $("rollback-cancel").addEventListener("click", () => $("rollback-dialog").close());
    $("rollback-go").addEventListener("click", () => {
        $("rollback-dialog").close();
        go(chosen);
    });
}

// The history grows only with the revision.
export async function ask(status) {
    const of = `${status.revision} ${most}`;
    if (kept.of !== of) kept = { of, list: await get("revisions", { most }) };
    return kept.list;
}

async function tell(revision) {
    try {
        const one = await get(`revisions/${revision}`);
        replace($("difference-title"), `What revision ${revision} changed`);
        const changes = one.difference.map(describe);
        replace($("difference-body"), ...(changes.length ? changes : [make("p", {}, "No object was changed.")]));
        $("difference").hidden = false;
        $("difference-title").focus();
    } catch (error) {
        page.fail(error);
    }
}

function confirm(revision) {
    chosen = revision;
    replace($("rollback-title"), `Roll back to revision ${revision}?`);
    $("rollback-dialog").showModal();
}

async function go(revision) {
    try {
        const done = await post(`revisions/${revision}/rollback`);
        const lagging = done.warnings.length ? `\n${done.warnings.join("\n")}` : "";
        const words = done.result === "unchanged" ? `Nothing differs from revision ${revision}.`
            : `Rolled back to revision ${revision}: revision ${done.revision} is in force.`;
        kept.of = "";
        await page.refresh();
        page.say(words + lagging);
    } catch (error) {
        page.fail(error);
    }
}

function row(revision, status, newest) {
    const can = text("");
    const id = String(revision.revision);
    const button = (word, name, label) =>
        make("button", { type: "button", [`data-${name}`]: id, "aria-label": `${label} revision ${id}` }, word);
    can.append(button("Difference", "difference", "Difference of"));
    if (status.key.role === "admin" && revision.revision !== newest) can.append(button("Roll back", "rollback", "Roll back to"));
    const name = head(id);
    if (revision.revision === status.revision) name.append(" ", badge("in force", "good"));
    const author = text(revision.author);
    if (revision.from) author.append(under(revision.from));
    return {
        key: id,
        cells: [name, text(time(revision.time), "pad"), author, text(revision.action), text(revision.source || none),
            number(count(revision.changes)), can],
    };
}

export function show(status, list) {
    const newest = list.length ? list[0].revision : 0;
    fill($("revision-rows"), list.map((revision) => row(revision, status, newest)));
    $("more-revisions").hidden = list.length < most || most >= 500;
}
