/**
 * A donor's worker: it attaches to the coordinators, reconciles what they ask with what it hosts,
 * and wires fetching, loading, the ring and the head together.
 */
@NullMarked
package coop.sahkar.worker.agent;

import org.jspecify.annotations.NullMarked;
