// Sets the theme before anything is painted, so that no page flashes in the other one. A classic
// script for that reason: modules run too late.
"use strict";

{
  const NAME = "gridtap-theme";

  function kept() {
    try {
      return localStorage.getItem(NAME) ?? "auto";
    } catch {
      // Storage may be forbidden; then the choice lasts as long as the page.
      return "auto";
    }
  }

  function apply(theme) {
    if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
    else delete document.documentElement.dataset.theme;
    window.dispatchEvent(new Event("themechange"));
  }

  apply(kept());
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => apply(kept()));
  document.addEventListener("DOMContentLoaded", () => {
    const select = document.getElementById("theme");
    select.value = document.documentElement.dataset.theme ?? "auto";
    select.addEventListener("change", () => {
      try {
        localStorage.setItem(NAME, select.value);
      } catch {
        // As above.
      }
      apply(select.value);
    });
  });
}
