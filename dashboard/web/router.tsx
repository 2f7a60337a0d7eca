import { signal } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import { pathOf, routeOf, type Route } from './routes.ts';

/** The page that the address names. */
export const route = signal<Route>(routeOf(location.pathname));

/** Follows the browser's back and forward, and links within the page without loading it again. */
export function startRouter(): void {
  addEventListener('popstate', () => {
    route.value = routeOf(location.pathname);
  });
  document.addEventListener('click', (event) => {
    const link = event.target instanceof Element ? event.target.closest('a') : null;
    const isPlain = event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey && !event.altKey;
    if (link === null || !isPlain || event.defaultPrevented || link.target !== '' || link.hasAttribute('download'))
      return;
    if (link.origin !== location.origin || link.pathname === location.pathname) return;
    event.preventDefault();
    goTo(routeOf(link.pathname));
  });
}

export function goTo(next: Route): void {
  history.pushState(null, '', pathOf(next));
  route.value = next;
  scrollTo(0, 0);
  document.querySelector('main')?.focus({ preventScroll: true });
}

/** A link to a page. */
export function PageLink({
  to,
  class: style = '',
  label,
  children,
}: {
  readonly to: Route;
  readonly class?: string;
  readonly label?: string;
  readonly children: ComponentChildren;
}) {
  const isCurrent = pathOf(route.value) === pathOf(to);
  return (
    <a href={pathOf(to)} class={style} aria-label={label} aria-current={isCurrent ? 'page' : undefined}>
      {children}
    </a>
  );
}
