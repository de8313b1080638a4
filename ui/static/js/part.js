// Parts of pages: asked for with the header Cronista-Part (docs/pages.md).
let busy = 0;
const listeners = [];

export function onPart(listener) {
  listeners.push(listener);
}

// To be called with every piece of page that has been put into the document.
export function arrived(root) {
  for (const listener of listeners) listener(root);
}

export async function waiting(promise) {
  document.documentElement.classList.toggle("busy", ++busy > 0);
  try {
    return await promise;
  } finally {
    document.documentElement.classList.toggle("busy", --busy > 0);
  }
}

// Gives {ok, status, fragment}. status 0: no answer. When the session is over the whole page is loaded, which asks to sign in.
export async function part(href, name, options = {}) {
  try {
    const response = await waiting(
      fetch(href, { ...options, headers: { ...options.headers, "Cronista-Part": name }, credentials: "same-origin" }),
    );
    if (response.status === 401 || (response.redirected && new URL(response.url).pathname === "/sign-in")) {
      location.reload();
      return { ok: false, status: 401, fragment: new DocumentFragment() };
    }
    const holder = document.createElement("template");
    holder.innerHTML = await response.text();
    return { ok: response.ok, status: response.status, fragment: holder.content };
  } catch (problem) {
    if (problem.name === "AbortError") throw problem;
    return { ok: false, status: 0, fragment: new DocumentFragment() };
  }
}

// What a form would send. Without files it goes as a plain form, as without scripts.
export function formBody(form, submitter) {
  const data = new FormData(form, submitter ?? undefined);
  return form.enctype === "multipart/form-data" ? data : new URLSearchParams(data);
}

export const sendPart = (form, name, submitter) => part(form.action, name, { method: "POST", body: formBody(form, submitter) });
