import { answer } from '../../program.mjs';

export const dynamic = 'force-dynamic';

export async function GET() {
  return new Response(await answer());
}
