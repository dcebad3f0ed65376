// Questions to the Admin API, with the key of this tab.

const slot = "gateway-key";
const base = "/apisix/admin/ui/";

export const key = {
    get: () => sessionStorage.getItem(slot) || "",
    set: (text) => sessionStorage.setItem(slot, text),
    forget: () => sessionStorage.removeItem(slot),
};

// What the gateway said no with; `locked`: a key is missing, or is not that of this gateway.
export class Refusal extends Error {
    constructor(text, locked = false) {
        super(text);
        this.locked = locked;
    }
}

function refusal(status, answer) {
    const role = answer.description === "invalid method for role viewer";
    if (status === 401 && !role) return new Refusal(answer.description === "missing apikey" ? "" : "This key is not known.", true);
    if (role) return new Refusal("A viewer's key changes nothing.");
    if (status === 403) return new Refusal("This address may not use the Admin API (403).");
    return new Refusal(answer.error_msg || `The gateway answered ${status}.`);
}

async function ask(method, path, parameters = {}) {
    const query = new URLSearchParams(parameters).toString();
    const headers = key.get() ? { "X-API-KEY": key.get() } : {};
    let response;
    try {
        response = await fetch(base + path + (query ? "?" + query : ""), { method, headers, cache: "no-store" });
    } catch {
        throw new Refusal("The gateway does not answer.");
    }
    const answer = await response.json().catch(() => ({}));
    if (!response.ok) throw refusal(response.status, answer);
    return answer;
}

export const get = (path, parameters) => ask("GET", path, parameters);
export const post = (path) => ask("POST", path);
