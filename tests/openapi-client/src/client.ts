// Places an order with the client that is generated from the OpenAPI document. The test
// tests/tests/storefront/generated_client.rs generates and compiles the client, and runs this program.

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { setTimeout } from "node:timers/promises";
import createClient from "openapi-fetch";
import type { components, paths } from "./api.js";

type Order = components["schemas"]["Order"];
type NewOrder = components["schemas"]["NewOrder"];

const UNKNOWN_ORDER = "ord_0192f0c1a2b37c4d8e5f60718293a4b5";
const TIMEOUT_MS = 60_000;
const POLL_INTERVAL_MS = 100;

function variable(name: string): string {
  const value = process.env[name];
  assert.ok(value, `${name} is not set: run this program through ./scripts/test`);
  return value;
}

const productId = variable("FERRITE_PRODUCT");
const client = createClient<paths>({
  baseUrl: variable("FERRITE_API_URL"),
  headers: { Authorization: `Bearer ${variable("FERRITE_TOKEN")}` },
});
const order: NewOrder = { lines: [{ productId, quantity: 2 }], paymentToken: "tok_success" };

async function findsTheProduct(): Promise<void> {
  const page = await client.GET("/products", { params: { query: { limit: 100 } } });
  assert.ok(page.data, JSON.stringify(page.error));
  assert.ok(page.data.items.length > 0);

  const product = await client.GET("/products/{productId}", { params: { path: { productId } } });
  assert.ok(product.data, JSON.stringify(product.error));
  assert.equal(product.data.id, productId);
  assert.equal(product.data.price.currency, "EUR");
}

async function placesAnOrderOnce(): Promise<Order> {
  const key = randomUUID();
  const place = () => client.POST("/orders", { params: { header: { "Idempotency-Key": key } }, body: order });
  const placed = await place();
  assert.ok(placed.data, JSON.stringify(placed.error));
  assert.equal(placed.response.status, 202);
  const repeated = await place();
  assert.equal(repeated.data?.id, placed.data.id);
  return placed.data;
}

async function waitsUntilTheOrderIsPaid(orderId: string): Promise<void> {
  const deadline = Date.now() + TIMEOUT_MS;
  for (;;) {
    const { data, error } = await client.GET("/orders/{orderId}", { params: { path: { orderId } } });
    assert.ok(data, JSON.stringify(error));
    if (data.status !== "pending") {
      assert.equal(data.status, "paid");
      assert.equal(data.lines[0]?.quantity, 2);
      return;
    }
    assert.ok(Date.now() < deadline, "timed out while the order was pending");
    await setTimeout(POLL_INTERVAL_MS);
  }
}

async function getsProblemDocuments(): Promise<void> {
  const missing = await client.GET("/orders/{orderId}", { params: { path: { orderId: UNKNOWN_ORDER } } });
  assert.equal(missing.response.status, 404);
  assert.equal(missing.error?.type, "urn:ferrite:problem:not-found");

  const invalid = await client.POST("/orders", {
    params: { header: { "Idempotency-Key": randomUUID() } },
    body: { ...order, lines: [{ productId, quantity: 0 }] },
  });
  assert.equal(invalid.response.status, 422);
  assert.equal(invalid.error?.type, "urn:ferrite:problem:validation");
  assert.ok("errors" in invalid.error);
  assert.equal(invalid.error.errors?.[0]?.field, "lines[0].quantity");
}

// The compiler reports these mistakes. It fails if a line after `@ts-expect-error` has no error.
export async function mistakes(): Promise<void> {
  // @ts-expect-error An order needs an Idempotency-Key.
  await client.POST("/orders", { body: order });
  // @ts-expect-error An order needs a payment token.
  const incomplete: NewOrder = { lines: order.lines };
  const { data, error } = await client.GET("/orders/{orderId}", { params: { path: { orderId: UNKNOWN_ORDER } } });
  // @ts-expect-error An order has no such status.
  assert.ok(data?.status === "lost" || incomplete);
  // @ts-expect-error The operation has no such problem.
  assert.ok(error?.type === "urn:ferrite:problem:out-of-stock");
}

await findsTheProduct();
const placed = await placesAnOrderOnce();
await waitsUntilTheOrderIsPaid(placed.id);
await getsProblemDocuments();
