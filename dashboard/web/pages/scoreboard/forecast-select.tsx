import { forecastName, type Comparison } from './score-view.ts';

/** Chooses one of the compared forecasts. */
export function ForecastSelect({
  label,
  rows,
  chosen,
  choose,
}: {
  readonly label: string;
  readonly rows: Comparison['rows'];
  readonly chosen: string;
  readonly choose: (forecast: string) => void;
}) {
  return (
    <select
      aria-label={label}
      value={chosen}
      onChange={(event) => {
        choose(event.currentTarget.value);
      }}
    >
      {rows.map(({ group }) => (
        <option key={group.forecast} value={group.forecast}>
          {forecastName(group.forecast)}
        </option>
      ))}
    </select>
  );
}
