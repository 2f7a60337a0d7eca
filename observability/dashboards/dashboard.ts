import {
  BigValueColorMode,
  BigValueGraphMode,
  ReduceDataOptionsBuilder,
  VizLegendOptionsBuilder,
} from '@grafana/grafana-foundation-sdk/common';
import {
  DashboardBuilder,
  DashboardLinkBuilder,
  DashboardLinkType,
  DatasourceVariableBuilder,
  QueryVariableBuilder,
  RowBuilder,
  ThresholdsConfigBuilder,
  VariableRefresh,
  type Dashboard,
} from '@grafana/grafana-foundation-sdk/dashboard';
import { DataqueryBuilder } from '@grafana/grafana-foundation-sdk/prometheus';
import { PanelBuilder as StatBuilder } from '@grafana/grafana-foundation-sdk/stat';
import { PanelBuilder as TimeSeriesBuilder } from '@grafana/grafana-foundation-sdk/timeseries';
import type { Query } from './promql.ts';

/** What a value counts, by Grafana's names of units. */
export type Unit = 's' | 'short' | 'percentunit' | 'cps' | 'reqps' | 'bytes' | 'bool_yes_no';

export interface Panel {
  readonly title: string;
  /** One sentence: what it shows, and what a good value is. */
  readonly description: string;
  readonly unit: Unit;
  readonly queries: readonly Query[];
  /** `state` shows the last value of each series in large letters, red at 0 or, with `badFrom`, from there on. */
  readonly kind?: 'state';
  readonly badFrom?: number;
}

export interface Row {
  readonly title: string;
  readonly panels: readonly Panel[];
}

export interface DashboardDefinition {
  readonly uid: `tapeproof-${string}`;
  readonly title: string;
  readonly description: string;
  readonly rows: readonly Row[];
}

const DATA_SOURCE = { type: 'prometheus', uid: '${datasource}' } as const;
const TAG = 'tapeproof';
/** Of the 24 columns of Grafana's grid. */
const COLUMNS = 8;
const STATE_HEIGHT = 5;
const GRAPH_HEIGHT = 8;

/* eslint-disable @typescript-eslint/no-deprecated -- The model that every Grafana loads from a folder; the next one needs 12. */
/** Grafana's dashboard: the rows in order, a choice of processes, and links to the others. */
export function dashboardOf({ uid, title, description, rows }: DashboardDefinition): Dashboard {
  const builder = new DashboardBuilder(`Tapeproof: ${title}`)
    .uid(uid)
    .description(description)
    .tags([TAG])
    .refresh('30s')
    .time({ from: 'now-1h', to: 'now' })
    .timezone('browser')
    .withVariable(new DatasourceVariableBuilder('datasource').label('Data source').type('prometheus'))
    .withVariable(instanceVariable())
    .link(
      new DashboardLinkBuilder('Tapeproof')
        .type(DashboardLinkType.Dashboards)
        .tags([TAG])
        .keepTime(true)
        .asDropdown(true),
    );
  let id = 0;
  for (const row of rows) {
    builder.withRow(new RowBuilder(row.title).id((id += 1)));
    for (const panel of row.panels)
      builder.withPanel((panel.kind === 'state' ? stateOf(panel) : graphOf(panel)).id((id += 1)));
  }
  return builder.build();
}
/* eslint-enable @typescript-eslint/no-deprecated */

function instanceVariable(): QueryVariableBuilder {
  return new QueryVariableBuilder('instance')
    .label('Process')
    .datasource(DATA_SOURCE)
    .query('label_values(tapeproof_build_info, instance)')
    .refresh(VariableRefresh.OnTimeRangeChanged)
    .multi(true)
    .includeAll(true)
    .allValue('.*')
    .current({ text: ['All'], value: ['$__all'] });
}

function graphOf({ title, description, unit, queries }: Panel): TimeSeriesBuilder {
  const builder = new TimeSeriesBuilder()
    .title(title)
    .description(description)
    .unit(unit)
    .min(0)
    .datasource(DATA_SOURCE)
    .span(COLUMNS)
    .height(GRAPH_HEIGHT)
    .legend(new VizLegendOptionsBuilder().showLegend(true));
  for (const query of queries) builder.withTarget(targetOf(query));
  return builder;
}

function stateOf({ title, description, unit, queries, badFrom }: Panel): StatBuilder {
  const steps =
    badFrom === undefined
      ? [
          { value: null, color: 'red' },
          { value: 1, color: 'green' },
        ]
      : [
          { value: null, color: 'green' },
          { value: badFrom, color: 'red' },
        ];
  const builder = new StatBuilder()
    .title(title)
    .description(description)
    .unit(unit)
    .datasource(DATA_SOURCE)
    .span(COLUMNS)
    .height(STATE_HEIGHT)
    .colorMode(BigValueColorMode.Background)
    .graphMode(BigValueGraphMode.None)
    .reduceOptions(new ReduceDataOptionsBuilder().calcs(['lastNotNull']))
    .thresholds(new ThresholdsConfigBuilder().steps(steps));
  for (const query of queries) builder.withTarget(targetOf(query));
  return builder;
}

function targetOf({ expression, legend }: Query): DataqueryBuilder {
  return new DataqueryBuilder().expr(expression).legendFormat(legend);
}
