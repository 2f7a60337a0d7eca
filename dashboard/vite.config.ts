import { join } from 'node:path';
import { defineConfig } from 'vite';

const WEB_FOLDER = join(import.meta.dirname, 'web');

/**
 * Builds the web page into static files for the server of `dashboard/api`. Nothing is inlined, so that a content security policy
 * of `default-src 'self'` needs no exception, and the names of the assets have a hash, so that they may be cached for good.
 */
export default defineConfig({
  root: WEB_FOLDER,
  base: '/',
  publicDir: false,
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  build: {
    outDir: join(WEB_FOLDER, 'dist'),
    emptyOutDir: true,
    target: 'es2022',
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: true,
  },
});
