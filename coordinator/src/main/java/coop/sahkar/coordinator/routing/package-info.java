/**
 * Drawing a route for a session from what workers report: a pure router, and the desk that signs.
 */
@NullMarked
package coop.sahkar.coordinator.routing;

import org.jspecify.annotations.NullMarked;
