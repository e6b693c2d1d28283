import { svelte } from "@sveltejs/vite-plugin-svelte";
import { svelteTesting } from "@testing-library/svelte/vite";
import { defineConfig } from "vitest/config";

export default defineConfig({
  plugins: [svelte(), svelteTesting()],
  // The web views that Tauri uses on Debian 12, macOS 13 and Windows 10 all know ES2022.
  build: {
    target: "es2022",
    assetsInlineLimit: 0,
    reportCompressedSize: false,
    // One page for each kind of window.
    rollupOptions: { input: ["index.html", "ringing.html", "small.html"] },
  },
  worker: { format: "es" },
  // A test looks for the catalogue's names in the shell as well.
  server: { host: "127.0.0.1", port: 5173, strictPort: true, fs: { allow: [".", "../src-tauri/src"] } },
  test: {
    environment: "jsdom",
    css: { include: [/tokens\.css/] },
    include: ["src/**/*.test.ts"],
    restoreMocks: true,
    // The first test loads everything, and a busy machine takes its time for that.
    testTimeout: 30_000,
  },
});
