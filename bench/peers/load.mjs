// What is asked: list, get and create of workspaces, each request by another person of the crowd. For wrk in Lua, whose
// requests are made before the clock runs; for pgbench in SQL.
import { filled } from './statements.mjs';
import { organizationInSql, workspaceInSql } from './crowd.mjs';

export const kinds = ['list', 'get', 'create'];
const actor = "concat_ws(chr(31), 'user', '00000000-0000-7000-9000-000000000001', '', '127.0.0.1', 'pgbench')";

// Gets of each person; which of their workspaces is drawn over all that they have, old ones too.
const getsOfEach = 4;

export function lua(kind, { tokens, workspaces, tag }) {
  const crowd = `
local requests, n, seed = {}, 0, 7
local function draw(most) seed = (seed * 1103515245 + 12345) % 2147483648 return seed % most + 1 end
local function people(path) local lines = io.lines(path) return function() local line = lines() if line then return line:match("(%S+) (%S+)") end end end
function init(args)
  for id, token in people("${tokens}") do add(id, { ["Authorization"] = "Bearer " .. token }) end
end
`;
  const next = 'request = function() n = n % #requests + 1 return requests[n] end\n';
  if (kind === 'list') {
    return `${crowd}function add(id, headers) table.insert(requests, wrk.format("GET", "/v1/workspaces?limit=20", headers)) end\n${next}`;
  }
  if (kind === 'get') {
    return `${crowd}
local later = {}
function add(id, headers)
  for i = 1, ${getsOfEach} do
    local path = string.format("/v1/workspaces/%08x-0000-7000-8000-%s", draw(${workspaces}), id)
    later[i] = later[i] or {}
    table.insert(later[i], wrk.format("GET", path, headers))
  end
end
local flat = init
function init(args) flat(args) for _, each in ipairs(later) do for _, one in ipairs(each) do table.insert(requests, one) end end end
${next}`;
  }
  // The name is new each time, and of the same length.
  return `${crowd}
local heads, tail, body = {}, '","description":"Made under load, to be counted"}', '{"name":"Load ${tag} '
function add(id, headers)
  headers["Content-Type"] = "application/json"
  local all = wrk.format("POST", "/v1/workspaces", headers, body .. "00000000" .. tail)
  table.insert(heads, all:sub(1, #all - 8 - #tail))
end
request = function() n = n + 1 return heads[n % #heads + 1] .. string.format("%08d", n) .. tail end
`;
}

// Lines before the pipeline, and the statements in it.
export function sql(kind, { organizations, workspaces }) {
  const before = [`\\set n random(1, ${organizations})`];
  const organization = `SELECT set_config('app.current_organization_id', ${organizationInSql(':n::bigint')}::text, true)`;
  if (kind === 'list') {
    return {
      before,
      statements: [`${organization};`, filled('list_newest', { before: ':last', before_id: ':last_id', archived: ':archived', limit: ':limit' })],
      variables: { last: '9999-12-31', last_id: 'ffffffff-ffff-ffff-ffff-ffffffffffff', archived: 'false', limit: '21' },
    };
  }
  if (kind === 'get') {
    return {
      before: [...before, `\\set k random(1, ${workspaces})`],
      statements: [`${organization};`, filled('get_workspace', { id: workspaceInSql(':n::bigint', ':k::bigint') })],
      variables: {},
    };
  }
  return {
    before: [...before, '\\set r random(1, 1000000000000)'],
    statements: [
      `${organization}, set_config('app.actor', ${actor}, true);`,
      filled('create_workspace', {
        id: 'uuid_v7()', name: "('Load pgbench ' || :r::bigint)", slug: "('load-pgbench-' || :r::bigint)",
        description: "'Made under load, to be counted'", suffix: "'00000000'",
      }),
    ],
    variables: {},
  };
}
