// Elements, rows that change in place, and how figures are written. Texts never become markup.

export const $ = (id) => document.getElementById(id);

export function make(tag, options = {}, ...children) {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(options)) {
        if (name === "class") element.className = value;
        else element.setAttribute(name, value);
    }
    element.append(...children);
    return element;
}

export const text = (child, kind = "") => make("td", kind ? { class: kind } : {}, child);
export const number = (child, kind = "") => text(child, ("number " + kind).trim());
export const head = (...children) => make("th", { scope: "row" }, ...children);
export const under = (child) => make("span", { class: "under" }, child);
export const badge = (word, kind) => make("span", { class: "badge " + kind }, word);

// Rows named by `key`; what is the same stays untouched, so that focus and selection survive.
export function show(body, rows) {
    const known = new Map([...body.children].map((row) => [row.dataset.key, row]));
    rows.forEach(({ key, cells }, place) => {
        let row = known.get(key);
        known.delete(key);
        if (!row) {
            row = make("tr", { "data-key": key });
        }
        cells.forEach((cell, i) => {
            if (!row.children[i]) row.append(cell);
            else if (!row.children[i].isEqualNode(cell)) row.children[i].replaceWith(cell);
        });
        while (row.children.length > cells.length) row.lastChild.remove();
        if (body.children[place] !== row) body.insertBefore(row, body.children[place] || null);
    });
    for (const row of known.values()) row.remove();
}

export function replace(element, ...children) {
    const fresh = element.cloneNode(false);
    fresh.append(...children);
    if (!element.isEqualNode(fresh)) element.replaceChildren(...fresh.childNodes);
}

export const none = "\u2013";

export function count(value) {
    return value.toLocaleString("en", { maximumFractionDigits: 0 });
}

export function rate(value) {
    if (value === undefined) return "\u2026";
    return value.toLocaleString("en", { maximumFractionDigits: value < 10 ? 1 : 0 });
}

export function milliseconds(value) {
    if (value === undefined) return none;
    if (value < 0.0165) return "< 0.02 ms";
    if (value >= 10000) return (value / 1000).toFixed(0) + " s";
    if (value >= 1000) return (value / 1000).toFixed(1) + " s";
    return value.toFixed(value < 1 ? 2 : value < 10 ? 1 : 0) + " ms";
}

export const time = (stamp) => (stamp ? stamp.replace("T", " ").replace("Z", " UTC") : none);

// Buttons for a list that is shown in parts.
export function pages(element, total, from, most) {
    const last = Math.min(from + most, total);
    const button = (word, target, usable) => {
        const made = make("button", { type: "button", "data-from": String(target) }, word);
        made.disabled = !usable;
        return made;
    };
    const place = total === 0 ? "none" : total <= most && from === 0 ? `${count(total)} in all` : `${count(from + 1)} to ${count(last)} of ${count(total)}`;
    const parts = [make("span", {}, place)];
    if (total > most || from > 0) parts.push(button("Previous", Math.max(0, from - most), from > 0), button("Next", from + most, last < total));
    replace(element, ...parts);
}

// The filter and the buttons of the list `name`: they change what is wanted of it, {filter, from}.
export function listTools(name, wanted, refresh) {
    let pause = 0;
    $(`${name}-tools`).addEventListener("submit", (event) => event.preventDefault());
    $(`${name}-filter`).addEventListener("input", () => {
        clearTimeout(pause);
        pause = setTimeout(() => {
            Object.assign(wanted, { filter: $(`${name}-filter`).value.trim(), from: 0 });
            refresh();
        }, 250);
    });
    $(`${name}-pages`).addEventListener("click", (event) => {
        if (!event.target.dataset.from) return;
        wanted.from = Number(event.target.dataset.from);
        refresh();
    });
}
