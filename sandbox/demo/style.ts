import { styleText } from 'node:util';

export type Style = Readonly<Record<'title' | 'name' | 'good' | 'bad' | 'faint', (text: string) => string>>;

const plain = (text: string): string => text;

/** Colours for a terminal that wants them; for a pipe, or with NO_COLOR set (no-color.org), none. */
export function createStyle(isTerminal: boolean, noColor: string | undefined): Style {
  if (!isTerminal || (noColor !== undefined && noColor !== '')) {
    return { title: plain, name: plain, good: plain, bad: plain, faint: plain };
  }
  return {
    title: (text) => styleText(['bold', 'cyan'], text),
    name: (text) => styleText('cyan', text),
    good: (text) => styleText(['bold', 'green'], text),
    bad: (text) => styleText(['bold', 'red'], text),
    faint: (text) => styleText('dim', text),
  };
}
