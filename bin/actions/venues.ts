import Table from 'cli-table3';
import { VENUES } from '../../producers/venues/catalogue.ts';
import type { JsonOption } from '../commands/options.ts';
import { print } from '../context.ts';

export function listVenues({ json }: JsonOption): void {
  const list = VENUES.map(({ name, description, tradeIds, endpoints }) => {
    return { name, description, tradeIds, endpoints };
  });
  print(json, list, () => {
    const table = new Table({ head: ['venue', 'what', 'trade ids', 'endpoints'], style: { head: [], border: [] } });
    for (const { name, description, tradeIds, endpoints } of list) {
      table.push([
        name,
        description,
        tradeIds === 'DENSE' ? 'dense: gaps are known' : 'opaque: gaps are not known',
        `${endpoints.webSocketUrl}\n${endpoints.restUrl}`,
      ]);
    }
    return table.toString();
  });
}
