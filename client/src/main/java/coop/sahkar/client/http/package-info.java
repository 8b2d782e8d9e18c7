/**
 * Services over HTTP: those that speak OpenAI's API and Anthropic's. Everything that is read is
 * bounded, and what is no answer becomes a failure that says what came instead.
 */
@NullMarked
package coop.sahkar.client.http;

import org.jspecify.annotations.NullMarked;
