/**
 * Counts what generations deliver, sums it up, and brings the sums to the ledger in batches that
 * count once. What workers claim counts for nothing: tokens are those that passed through the
 * coordinator, routes those that a coordinator signed.
 */
@NullMarked
package coop.sahkar.coordinator.usage;

import org.jspecify.annotations.NullMarked;
