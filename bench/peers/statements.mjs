// The product's own statements, from its queries.sql, so that nobody measures others than those that run.
import { readFileSync } from 'node:fs';

const file = new URL('../../src/features/organizations/workspaces/queries.sql', import.meta.url);

function named(name) {
  const text = readFileSync(file, 'utf8');
  const found = new RegExp(`^-- name: ${name} [^\\n]*\\n((?:(?!^-- name:)[^])*)`, 'm').exec(text);
  if (!found) throw new Error(`${file.pathname} has no statement ${name}`);
  return found[1].replace(/^--.*\n/gm, '').trim().replace(/;$/, '');
}

// With $1, $2, … in the order of `parameters`.
function numbered(name, parameters) {
  return named(name).replace(/\$([a-z_]+)\??/g, (_, parameter) => {
    const place = parameters.indexOf(parameter);
    if (place < 0) throw new Error(`the statement ${name} has a parameter ${parameter} that the bench does not know`);
    return `$${place + 1}`;
  });
}

// With what `values` says in the place of each parameter, on one line, as pgbench has it between pipeline commands.
export function filled(name, values) {
  const text = named(name).replace(/\$([a-z_]+)\??/g, (_, parameter) => {
    if (!(parameter in values)) throw new Error(`the statement ${name} has a parameter ${parameter} that the bench does not know`);
    return values[parameter];
  });
  return `${text.replace(/\s+/g, ' ')};`;
}

export const forPeers = () => ({
  list_newest: numbered('list_newest', ['before', 'before_id', 'archived', 'limit']),
  get_workspace: numbered('get_workspace', ['id']),
  create_workspace: numbered('create_workspace', ['id', 'name', 'slug', 'description', 'suffix']),
});
