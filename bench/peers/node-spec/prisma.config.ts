import { defineConfig } from 'prisma/config';

// Only the client is made; which database it speaks to is told to the server.
export default defineConfig({ schema: 'prisma/schema.prisma', datasource: { url: 'postgresql://nobody@127.0.0.1/none' } });
