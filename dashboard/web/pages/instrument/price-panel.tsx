import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import type { Decision } from '../../../contract/decisions.ts';
import type { ProfileResponse, SeriesResponse } from '../../../contract/series.ts';
import { onThemeChange } from '../../charts/chart-theme.ts';
import { countText, percentText, priceDigits, priceText } from '../../format/numbers.ts';
import { Time } from '../../parts/time.tsx';
import { DirectionWord, VerdictBadge } from '../../parts/words.tsx';
import { goTo } from '../../router.tsx';
import { chartPoints, decisionMarks, profileRows } from './chart-content.ts';
import { ChartLegend } from './chart-legend.tsx';
import { PriceChart, type Hovered } from './price-chart.ts';

interface PanelProps {
  readonly series: SeriesResponse;
  readonly decisions: readonly Decision[];
  readonly profile: ProfileResponse | undefined;
  /** Names the time shown. */
  readonly view: string;
  /** The decision that the viewer points at in a list beside the chart. */
  readonly chosenId: string | undefined;
}

/** The chart of an instrument, with its legend and the same figures as a table. */
export function PricePanel({ series, decisions, profile, view, chosenId }: PanelProps) {
  const element = useRef<HTMLDivElement>(null);
  const chart = useRef<PriceChart>(undefined);
  const [hovered, setHovered] = useState<Hovered>();
  const [ring, setRing] = useState<{ readonly x: number; readonly y: number }>();
  const binSize = profile?.binSize ?? null;
  const points = useMemo(() => chartPoints(series.points, binSize), [series, binSize]);
  const digits = useMemo(() => priceDigits(series.points.map(({ price }) => price)), [series]);
  useEffect(() => {
    if (element.current === null) return undefined;
    const made = new PriceChart(element.current, {
      onOpen: (eventId) => {
        goTo({ page: 'audit', eventId });
      },
      onHover: setHovered,
    });
    chart.current = made;
    const end = onThemeChange(() => {
      made.applyTheme();
    });
    return () => {
      end();
      made.remove();
    };
  }, []);
  useEffect(() => chart.current?.setPoints(points, digits, view), [points, digits, view]);
  useEffect(() => chart.current?.setMarks(decisionMarks(decisions, points)), [decisions, points]);
  useEffect(() => chart.current?.setRows(profile === undefined ? [] : profileRows(profile)), [profile]);
  useEffect(() => {
    setRing(chart.current?.placeOf(chosenId));
  }, [chosenId, points, decisions]);
  return (
    <>
      <ChartLegend />
      <div class="chart">
        <div class="chart-canvas" ref={element} role="img" aria-label={summaryOf(series)} />
        {ring === undefined ? null : <span class="marker-ring" style={{ left: `${ring.x}px`, top: `${ring.y}px` }} />}
        {hovered === undefined ? null : <Tip hovered={hovered} decisions={decisions} digits={digits} />}
      </div>
      <p class="muted small">
        {series.rule} {profile?.withheld ?? ''}
      </p>
      <SeriesTable series={series} />
    </>
  );
}

function summaryOf({ instrument, points }: SeriesResponse): string {
  const [first, last] = [points[0], points.at(-1)];
  if (first === undefined || last === undefined) return `No prices of ${instrument} in this time`;
  return `Price of ${instrument}: from ${priceText(first.price)} to ${priceText(last.price)}, ${countText(points.length)} points. The table below has the figures.`;
}

function Tip({
  hovered,
  decisions,
  digits,
}: {
  readonly hovered: Hovered;
  readonly decisions: readonly Decision[];
  readonly digits: number;
}) {
  if (hovered.kind === 'row') {
    const { low, high, volume, isInValueArea, isPointOfControl } = hovered.row;
    return (
      <div class="chart-tip">
        <strong>
          {priceText(low.toFixed(digits))} to {priceText(high.toFixed(digits))}
        </strong>
        <br />
        volume {priceText(volume)}
        {isPointOfControl ? ', the point of control' : isInValueArea ? ', in the value area' : ''}
      </div>
    );
  }
  const decision = decisions.find(({ decisionId }) => decisionId === hovered.decisionId);
  if (decision === undefined) return null;
  const others = decisions.filter(({ timeUs }) => timeUs === decision.timeUs).length - 1;
  return (
    <div class="chart-tip">
      <DirectionWord direction={decision.direction} /> at {priceText(decision.referencePrice)},{' '}
      {percentText(decision.probability)} <VerdictBadge status={decision.status} />
      <br />
      <Time us={decision.timeUs} />
      <br />
      <span class="muted">Click to audit {decision.decisionId}</span>
      {others === 0 ? null : (
        <>
          <br />
          <span class="muted">
            {others === 1 ? 'One other decision' : `${others} other decisions`} of this snapshot: see the list.
          </span>
        </>
      )}
    </div>
  );
}

function SeriesTable({ series }: { readonly series: SeriesResponse }) {
  return (
    <details class="data-table">
      <summary>The chart as a table</summary>
      <div class="scroll" tabIndex={0} role="region" aria-label="The chart as a table">
        <table>
          <caption>Prices and indicators of {series.instrument}, newest first</caption>
          <thead>
            <tr>
              <th scope="col">Time</th>
              {['Price', 'VWAP', 'Deviation', 'Value area', 'Point of control', 'Range'].map((name) => (
                <th key={name} scope="col" class="number">
                  {name}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {series.points.toReversed().map((point) => (
              <tr key={point.snapshotId}>
                <th scope="row">
                  <Time us={point.timeUs} />
                </th>
                <td class="number">{priceText(point.price)}</td>
                <td class="number">{priceText(point.vwap)}</td>
                <td class="number">{priceText(point.vwapDeviation)}</td>
                <td class="number">
                  {priceText(point.valueAreaLow)} to {priceText(point.valueAreaHigh)}
                </td>
                <td class="number">{priceText(point.pointOfControl)}</td>
                <td class="number">
                  {priceText(point.rangeLow)} to {priceText(point.rangeHigh)}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </details>
  );
}
