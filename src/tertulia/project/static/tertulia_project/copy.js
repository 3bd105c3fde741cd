/**
 * `<button hidden data-copies="ID">`: shows itself where there is a clipboard, and copies the value
 * of that field. Without a script, or a secure context, the field is there to be copied from by hand.
 */
for (const button of document.querySelectorAll("button[data-copies]")) {
  const field = /** @type {HTMLInputElement} */ (document.getElementById(button.dataset.copies));
  field.addEventListener("focus", () => field.select());
  if (!navigator.clipboard) continue;
  button.hidden = false;
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(field.value);
      button.textContent = button.dataset.copied;
    } catch {
      field.focus();
    }
  });
}
