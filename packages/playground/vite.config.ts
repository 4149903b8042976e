import { resolve } from 'node:path';
import { gzipSync } from 'node:zlib';
import { defineConfig, type Plugin } from 'vite';

/** All that a visitor downloads, compressed, in octets. */
const MOST_OCTETS = 150_000;

/** Prints how large the page is, and fails the build if it is too large. */
function weighed(): Plugin {
  return {
    name: 'weighed',
    generateBundle(_, bundle) {
      let total = 0;
      for (const file of Object.values(bundle)) {
        total += gzipSync(file.type === 'chunk' ? file.code : file.source).length;
      }
      console.log(`the page: ${total} octets gzipped of at most ${MOST_OCTETS}`);
      if (total > MOST_OCTETS) this.error(`the page has ${total} octets gzipped, over ${MOST_OCTETS}`);
    },
  };
}

export default defineConfig({
  root: resolve(import.meta.dirname, 'src'),
  // Wherever it is served from: `sansmtp play`, `serve --inspect`, any static host.
  base: './',
  build: {
    outDir: resolve(import.meta.dirname, 'dist'),
    emptyOutDir: true,
    // A data URL would not pass the content security policy under which the page is served.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
  plugins: [weighed()],
});
