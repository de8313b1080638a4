// Tags: one field with commas becomes a row of tokens. The field itself stays and is what is sent.
import { element, word } from "./words.js";

function tokens(place) {
  const field = place.querySelector("input");
  if (!field || place.querySelector(".chosen")) return;
  const shown = element("span", { class: "chosen" });
  const typing = element("input", { type: "text", autocomplete: "off", placeholder: field.placeholder });
  typing.id = field.id;
  for (const name of ["aria-invalid", "aria-describedby"]) if (field.hasAttribute(name)) typing.setAttribute(name, field.getAttribute(name));
  field.removeAttribute("id");
  field.type = "hidden";
  const split = (text) => text.split(",").map((t) => t.trim()).filter(Boolean);
  let values = split(field.value);

  const write = () => {
    field.value = [...values, ...split(typing.value)].join(", ");
    field.dispatchEvent(new Event("input", { bubbles: true }));
  };
  const draw = () => {
    shown.replaceChildren(
      ...values.map((value) => {
        const remove = element("button", { type: "button", "aria-label": `${word("remove")} ${value}` }, "×");
        remove.addEventListener("click", () => {
          values = values.filter((v) => v !== value);
          write();
          draw();
          typing.focus();
        });
        return element("span", { class: "token" }, element("span", {}, value), remove);
      }),
    );
  };
  const take = () => {
    const fresh = split(typing.value).filter((v) => !values.includes(v));
    typing.value = "";
    values.push(...fresh);
    write();
    draw();
  };
  typing.addEventListener("input", () => (typing.value.includes(",") ? take() : write()));
  typing.addEventListener("blur", take);
  typing.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && typing.value.trim() && !event.ctrlKey && !event.metaKey) {
      event.preventDefault();
      take();
    } else if (event.key === "Backspace" && !typing.value && values.length) {
      values.pop();
      write();
      draw();
    }
  });
  place.prepend(shown);
  place.append(typing);
  draw();
}

export function startTokens(root) {
  for (const place of root.querySelectorAll("[data-tokens]")) tokens(place);
}
