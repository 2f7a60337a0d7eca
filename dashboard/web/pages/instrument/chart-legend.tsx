import type { ComponentChildren } from 'preact';

/** What the lines and marks of the price chart mean. */
export function ChartLegend() {
  return (
    <ul class="legend">
      <Key name="price">
        <path d="M0 6h22" stroke="var(--ink)" stroke-width="2" />
      </Key>
      <Key name="VWAP, and one deviation around it">
        <rect width="22" height="12" fill="var(--accent-soft)" />
        <path d="M0 6h22" stroke="var(--accent)" stroke-width="2" />
      </Key>
      <Key name="value area">
        <path d="M0 3h22M0 9h22" stroke="var(--muted)" stroke-dasharray="4 3" />
      </Key>
      <Key name="range">
        <path d="M0 3h22M0 9h22" stroke="var(--line-strong)" />
      </Key>
      <Key name="HIT">
        <path d="M11 1 16.5 11h-11Z" fill="var(--accent)" stroke="var(--accent)" />
      </Key>
      <Key name="MISS">
        <path d="M11 1 16.5 11h-11Z" fill="none" stroke="var(--ink)" stroke-width="1.4" />
        <path d="m9.3 6.6 3.4 3.4m0-3.4-3.4 3.4" stroke="var(--ink)" />
      </Key>
      <Key name="pending">
        <path d="M11 1 16.5 11h-11Z" fill="none" stroke="var(--accent)" stroke-width="1.4" stroke-dasharray="2 1.5" />
      </Key>
      <Key name="VOID">
        <path d="M11 1 16.5 11h-11Z" fill="none" stroke="var(--muted)" stroke-width="1.4" />
      </Key>
    </ul>
  );
}

function Key({ name, children }: { readonly name: string; readonly children: ComponentChildren }) {
  return (
    <li>
      <svg viewBox="0 0 22 12" aria-hidden="true">
        {children}
      </svg>
      {name}
    </li>
  );
}
