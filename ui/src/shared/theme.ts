import type { Theme } from "../bindings/Theme";

let system: MediaQueryList | null = null;
let chosen: Theme = "system";

function apply(): void {
  const theme = chosen === "system" ? (system?.matches ? "dark" : "light") : chosen;
  document.documentElement.dataset["theme"] = theme;
}

/** Shows the document in the system's theme, from now on and as that changes, until another one is chosen. */
export function followSystemTheme(): void {
  system = window.matchMedia("(prefers-color-scheme: dark)");
  system.addEventListener("change", apply);
  apply();
}

/** Shows the document in this theme. */
export function useTheme(theme: Theme): void {
  chosen = theme;
  apply();
}
