/** A page of the dashboard, with what it shows. */
export type Route =
  | { readonly page: 'live' }
  | { readonly page: 'instrument'; readonly instrument: string }
  | { readonly page: 'scoreboard' }
  | { readonly page: 'audit'; readonly eventId: string }
  | { readonly page: 'audit-start' }
  | { readonly page: 'pipeline' }
  | { readonly page: 'not-found' };

/** The route that a path of the address names. Names of instruments may hold any character, percent-encoded. */
export function routeOf(path: string): Route {
  const parts = path.split('/').filter((part) => part !== '');
  const [page, encoded, ...rest] = parts;
  if (rest.length > 0) return { page: 'not-found' };
  const name = encoded === undefined ? undefined : decoded(encoded);
  if (page === undefined) return { page: 'live' };
  if (page === 'instruments' && name !== undefined) return { page: 'instrument', instrument: name };
  if (page === 'audit') {
    if (encoded === undefined) return { page: 'audit-start' };
    return name === undefined ? { page: 'not-found' } : { page: 'audit', eventId: name };
  }
  if (encoded === undefined && (page === 'scoreboard' || page === 'pipeline')) return { page };
  return { page: 'not-found' };
}

/** The path of a route; `routeOf` reads it. */
export function pathOf(route: Route): string {
  switch (route.page) {
    case 'live':
    case 'not-found':
      return '/';
    case 'instrument':
      return `/instruments/${encodeURIComponent(route.instrument)}`;
    case 'audit':
      return `/audit/${encodeURIComponent(route.eventId)}`;
    case 'audit-start':
      return '/audit';
    case 'scoreboard':
    case 'pipeline':
      return `/${route.page}`;
  }
}

/** Undefined where the text is not percent-encoded UTF-8. */
function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
