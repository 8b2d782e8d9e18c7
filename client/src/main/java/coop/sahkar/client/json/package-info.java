/** JSON as values, on the streaming parser alone. */
@NullMarked
package coop.sahkar.client.json;

import org.jspecify.annotations.NullMarked;
