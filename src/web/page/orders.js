// What may be asked for: look at a TED now, stop or allow starts. Whether that is allowed is the server's to say.

const dialog = document.getElementById("ask");
const input = document.getElementById("ask-input");
const said = document.getElementById("said");

/** The bearer token, once somebody typed it: as long as this window, and nowhere else. */
let token = null;
let hide = 0;

/** Gives an order; asks for the token when the server does. Answers what the server answers, or null. */
export async function order(path, body) {
  for (;;) {
    const headers = { "content-type": "application/json" };
    if (token) headers.authorization = `Bearer ${token}`;
    let response;
    try {
      response = await fetch(path, { method: "POST", headers, body: JSON.stringify(body), signal: AbortSignal.timeout(20_000) });
    } catch {
      tell("The controller does not answer.", true);
      return null;
    }
    const answer = await response.json().catch(() => ({}));
    if (response.ok) return answer;
    if (response.status !== 401) {
      tell([answer.error, answer.hint].filter(Boolean).join(": ") || `The controller answers ${response.status}.`, true);
      return null;
    }
    const typed = await ask({
      title: "This controller wants a token", text: "It is in the file that `server.tokenFile` names in the controller’s settings. It is kept in this window only.",
      label: "Token", yes: "Go on", secret: true,
    });
    if (!typed) return null;
    token = typed;
  }
}

/** Asks for a line of text; null when it is cancelled. */
export function ask({ title, text, label, yes, secret = false, danger = false }) {
  document.getElementById("ask-title").textContent = title;
  document.getElementById("ask-text").textContent = text;
  document.getElementById("ask-label").textContent = label ?? "";
  const go = document.getElementById("ask-yes");
  go.textContent = yes;
  go.className = danger ? "danger" : "";
  input.hidden = !label;
  input.type = secret ? "password" : "text";
  input.value = "";
  dialog.returnValue = "";
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => {
      const typed = dialog.returnValue === "yes" ? input.value : null;
      input.value = "";
      resolve(typed);
    }, { once: true });
  });
}

document.getElementById("ask-form").addEventListener("submit", (event) => {
  event.preventDefault();
  dialog.close("yes");
});
document.getElementById("ask-no").addEventListener("click", () => dialog.close("no"));

/** A sentence at the foot of the window, for a while. */
export function tell(text, isBad = false) {
  clearTimeout(hide);
  said.textContent = text;
  said.className = isBad ? "said bad" : "said";
  said.hidden = false;
  hide = setTimeout(() => { said.hidden = true; }, isBad ? 20_000 : 6_000);
}
