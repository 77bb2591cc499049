interface Phased {
  readonly phase: string;
}

interface Kinded {
  readonly kind: string;
}

/** What a machine makes of an event: where it stands now, and what the world shall do, in this order. */
export interface Outcome<State, Action> {
  readonly state: State;
  readonly actions: readonly Action[];
}

/**
 * What happens when `Event` finds the machine in `From`. `to` lists every phase in which that can end, and `does` says
 * it in words: the reference is printed from both, and a test holds `to` against what `run` really does.
 */
export interface Cell<From, Event, State extends Phased, Action, Context> {
  readonly to: readonly State['phase'][];
  readonly does: string;
  // A method, not a property: only so may the cell of one phase stand for the cell of any.
  run(state: From, event: Event, context: Context): Outcome<State, Action>;
}

/** A whole machine: phase × event. An event without a cell leaves the machine as it is. */
export type Table<State extends Phased, Event extends Kinded, Action, Context> = {
  readonly [Phase in State['phase']]: {
    readonly [Kind in Event['kind']]?: Cell<
      Extract<State, { readonly phase: Phase }>,
      Extract<Event, { readonly kind: Kind }>,
      State,
      Action,
      Context
    >;
  };
};

interface PrintedCell {
  readonly to: readonly string[];
  readonly does: string;
}

/** The table for people: one section a phase, one line an event. */
export function tableAsMarkdown(
  table: Readonly<Record<string, Readonly<Record<string, PrintedCell | undefined>>>>,
  phases: Readonly<Record<string, string>>,
  events: Readonly<Record<string, string>>,
): string {
  const sections = Object.entries(table).map(([phase, row]) => {
    const lines = Object.entries(row).flatMap(([event, cell]) =>
      cell === undefined
        ? []
        : [`| ${events[event] ?? event} | ${cell.does} | ${cell.to.map((to) => `\`${to}\``).join(', ')} |`],
    );
    const head = `### \`${phase}\`\n\n${phases[phase] ?? ''}\n`;
    if (lines.length === 0) return `${head}\nNothing leads out of here.\n`;
    return `${head}\n| When | then | and is |\n| --- | --- | --- |\n${lines.join('\n')}\n`;
  });
  return sections.join('\n');
}
