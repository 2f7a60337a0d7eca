import { join } from 'node:path';
import { addressOf, CONTENTS } from './contents.ts';
import { keyboardStops } from './keyboard.ts';

/** What `node site/build.ts` builds from site/pages; its types are not installed where only the program is. */
export default {
  root: join(import.meta.dirname, 'pages'),
  outDir: join(import.meta.dirname, 'dist'),
  title: 'Tapeproof',
  description: 'Market forecasts that anyone can derive again: the documentation of Tapeproof.',
  lang: 'en',
  icon: '/icon.svg',
  globalStyles: join(import.meta.dirname, 'theme.css'),
  markdown: {
    rehypePlugins: [keyboardStops],
    link: {
      checkAnchors: true,
      checkDeadLinks: { excludes: (address: string) => address.startsWith('/files/') },
    },
  },
  // A page that did not change may link to one that did: each is checked at each build.
  builderConfig: { performance: { buildCache: false } },
  themeConfig: {
    sidebar: {
      '/': CONTENTS.map(({ title, pages }) => ({
        text: title,
        collapsible: true,
        items: pages.map(({ title: text, source }) => ({ text, link: addressOf(source).replace(/index$/, '') })),
      })),
    },
  },
};
