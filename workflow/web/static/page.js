// Passkeys, the only thing on the page that needs a script: a device makes one, and signs answers with it.
"use strict";

const send = async (path, data) => {
  const answer = await fetch(path, { method: "POST", body: new URLSearchParams(data) });
  if (!answer.ok) throw new Error(String(answer.status));
  return answer.json();
};

const say = (form, text) => {
  const told = form.querySelector("[role=alert]") || form.appendChild(document.createElement("p"));
  told.setAttribute("role", "alert");
  told.className = "notice bad";
  told.textContent = text;
};

for (const form of document.querySelectorAll("form[data-sign]")) {
  form.addEventListener("submit", async (event) => {
    const signature = form.elements.signature;
    if (signature.value || form.dataset.plain) return;
    event.preventDefault();
    try {
      const options = await send(form.dataset.sign, new FormData(form, event.submitter));
      if (options) {
        const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(options);
        signature.value = JSON.stringify(await navigator.credentials.get({ publicKey }));
      } else {
        form.dataset.plain = "yes";
      }
    } catch {
      form.dataset.plain = "yes";
      return say(form, form.dataset.unsigned);
    }
    form.requestSubmit(event.submitter);
  });
}

for (const form of document.querySelectorAll("form[data-passkey]")) {
  form.addEventListener("submit", async (event) => {
    const made = form.elements.passkey;
    if (made.value) return;
    event.preventDefault();
    try {
      const options = await send(form.dataset.passkey, new FormData(form));
      const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(options);
      made.value = JSON.stringify(await navigator.credentials.create({ publicKey }));
    } catch {
      return say(form, form.dataset.failed);
    }
    form.requestSubmit();
  });
}
