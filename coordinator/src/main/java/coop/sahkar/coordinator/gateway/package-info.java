/**
 * The pool's front door: the OpenAI-compatible HTTP API and the gRPC services on one port. Both run
 * generations through one mechanism that draws a route, drives the head, and goes on with another
 * route when a worker is lost.
 */
@NullMarked
package coop.sahkar.coordinator.gateway;

import org.jspecify.annotations.NullMarked;
