// What is shown once only is copied by a button.
import { say } from "./words.js";

export function startCopy(root) {
  for (const button of root.querySelectorAll("[data-copy]")) {
    button.hidden = false;
    button.addEventListener("click", async () => {
      const field = document.getElementById(button.dataset.copy);
      field.select();
      try {
        await navigator.clipboard.writeText(field.value);
      } catch {
        document.execCommand("copy"); // not over https: the selection is what browsers let us take
      }
      button.classList.add("won");
      say(button.textContent.trim());
    });
  }
}
