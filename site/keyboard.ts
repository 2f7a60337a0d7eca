/** A node of a page's tree in HTML, as far as it is looked at here. */
interface HtmlNode {
  readonly tagName?: string;
  properties?: Record<string, unknown>;
  readonly children?: readonly HtmlNode[];
}

const STOPS = 0;
const DOES_NOT_STOP = -1;

/**
 * A plugin of rehype: where a keyboard stops on a page. At a table, since a wide one is scrolled; not at the `#` beside a
 * heading, which the theme hides from people who listen to the page (WCAG 2.1.1 and 4.1.2).
 */
export function keyboardStops(): (tree: HtmlNode) => void {
  return function visit(node: HtmlNode): void {
    if (node.tagName === 'table') node.properties = { ...node.properties, tabIndex: STOPS };
    if (node.properties?.['ariaHidden'] !== undefined) node.properties['tabIndex'] = DOES_NOT_STOP;
    node.children?.forEach(visit);
  };
}
