/**
 * Who is who: nodes' keys and certificates, how a node joins a co-operative, and encrypted links on
 * which both ends have shown who they are.
 */
@NullMarked
package coop.sahkar.proto.tls;

import org.jspecify.annotations.NullMarked;
