import { parser } from '@prometheus-io/lezer-promql';

type Node = ReturnType<typeof parser.parse>['topNode'];

/** A selector of series in an expression of PromQL. */
export interface Selector {
  readonly metric: string;
  /** Labels that it matches on. */
  readonly labels: readonly string[];
  /** The function whose argument is this range of values (`rate`); undefined where the value itself is used. */
  readonly rangeFunction: string | undefined;
}

export interface PromQl {
  readonly selectors: readonly Selector[];
  /** Labels kept by `by`, or named by `on` and the like. */
  readonly grouping: readonly string[];
  /** The metrics below each `histogram_quantile`. */
  readonly quantiled: readonly string[];
}

/** Reads an expression with Prometheus' own grammar. @throws Error naming the place that is not PromQL. */
export function readPromQl(expression: string): PromQl {
  const selectors: Selector[] = [];
  const grouping: string[] = [];
  const quantiled: string[] = [];
  const textOf = ({ from, to }: { readonly from: number; readonly to: number }) => expression.slice(from, to);
  parser.parse(expression).iterate({
    enter: ({ node }) => {
      if (node.type.isError) throw new Error(`not PromQL at ${node.from}: ${expression}`);
      if (node.name === 'VectorSelector') {
        const metric = textOf(node.getChild('Identifier') ?? node);
        const calls = callsAround(node, textOf);
        selectors.push({
          metric,
          labels: descendants(node, 'LabelName').map(textOf),
          rangeFunction: node.parent?.name === 'MatrixSelector' ? calls[0] : undefined,
        });
        if (calls.includes('histogram_quantile')) quantiled.push(metric);
      }
      if (node.name === 'GroupingLabels') grouping.push(...descendants(node, 'LabelName').map(textOf));
    },
  });
  return { selectors, grouping, quantiled };
}

/** The functions around a node, the innermost first. */
function callsAround(node: Node, textOf: (node: Node) => string): string[] {
  const names: string[] = [];
  for (let around = node.parent; around !== null; around = around.parent) {
    const name = around.name === 'FunctionCall' ? around.getChild('FunctionIdentifier') : null;
    if (name !== null) names.push(textOf(name));
  }
  return names;
}

function descendants(node: Node, name: string): Node[] {
  const found: Node[] = [];
  node.cursor().iterate((each) => {
    if (each.name === name) found.push(each.node);
  });
  return found;
}
