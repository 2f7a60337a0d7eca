/** Topic to partitions. */
export type Assignment = Readonly<Record<string, readonly number[]>>;

/** The part of an assignment that another does not contain. */
export function without(assignment: Assignment, kept: Assignment): Assignment {
  const lost: Record<string, readonly number[]> = {};
  for (const [topic, partitions] of Object.entries(assignment)) {
    const gone = partitions.filter((partition) => !(kept[topic] ?? []).includes(partition));
    if (gone.length > 0) lost[topic] = gone;
  }
  return lost;
}

/** For people: `raw.trades 0,3,5`. */
export function assignmentText(assignment: Assignment): string {
  const topics = Object.entries(assignment).filter(([, partitions]) => partitions.length > 0);
  if (topics.length === 0) return 'no partitions';
  return topics
    .map(([topic, partitions]) => `${topic} ${partitions.toSorted((left, right) => left - right).join(',')}`)
    .join('; ');
}
