/**
 * The head of a route: the generation that drives a session round the ring, token by token, and
 * turns what is committed into text.
 */
@NullMarked
package coop.sahkar.worker.head;

import org.jspecify.annotations.NullMarked;
