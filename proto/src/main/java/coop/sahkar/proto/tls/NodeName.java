package coop.sahkar.proto.tls;

import coop.sahkar.proto.Limits;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.cert.CertificateParsingException;
import java.security.cert.X509Certificate;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Whose a certificate is. It stands there as the address {@code
 * sahkar://co-operative/role/id/enrolment}.
 *
 * @param coop the co-operative
 * @param role what the node is
 * @param id its id, unique among those of its role
 * @param enrolment stands for its key; revoking goes by it
 */
public record NodeName(String coop, Role role, String id, long enrolment) {
    private static final int URI_NAME = 6; // RFC 5280: GeneralName [6] uniformResourceIdentifier
    private static final int MAX_NAMES = 64;
    private static final Pattern COOP = Pattern.compile("[a-z0-9][a-z0-9-]{0,31}");
    private static final Pattern ID =
            Pattern.compile("[A-Za-z0-9][A-Za-z0-9._-]{0," + (Limits.MAX_WORKER_ID - 1) + "}");
    private static final Pattern ADDRESS =
            Pattern.compile("sahkar://([^/]+)/([a-z]+)/([^/]+)/([0-9a-f]{16})");

    /**
     * Checks it.
     *
     * @throws IllegalArgumentException in a sentence
     */
    public NodeName {
        if (!COOP.matcher(coop).matches()) {
            throw new IllegalArgumentException(
                    "a co-operative's name has 1 to 32 small letters, digits and hyphens");
        }
        if (!ID.matcher(id).matches()) {
            throw new IllegalArgumentException(
                    "a node's id has 1 to %d letters, digits, dots, hyphens and underscores"
                            .formatted(Limits.MAX_WORKER_ID));
        }
    }

    /**
     * The name of a node with this key. The enrolment's number is a hash: a key that was revoked
     * gets no other one by joining again.
     *
     * @param nodeKey its Ed25519 key, X.509 SubjectPublicKeyInfo
     */
    public static NodeName of(String coop, Role role, String id, byte[] nodeKey) {
        byte[] label = (role.word() + "/" + id + "/").getBytes(StandardCharsets.UTF_8);
        byte[] all = Arrays.copyOf(label, label.length + nodeKey.length);
        System.arraycopy(nodeKey, 0, all, label.length, nodeKey.length);
        return new NodeName(coop, role, id, ByteBuffer.wrap(JoinToken.hash(all)).getLong());
    }

    /** The address that stands in the certificate. */
    public String address() {
        return "sahkar://%s/%s/%s/%016x".formatted(coop, role.word(), id, enrolment);
    }

    /** Whose a certificate is; empty if it names nobody, or more than one. */
    public static Optional<NodeName> of(X509Certificate certificate) {
        try {
            Collection<List<?>> names = certificate.getSubjectAlternativeNames();
            if (names == null || names.size() > MAX_NAMES) {
                return Optional.empty();
            }
            List<String> addresses =
                    names.stream()
                            .filter(name -> name.getFirst().equals(URI_NAME))
                            .map(name -> String.valueOf(name.getLast()))
                            .toList();
            return addresses.size() == 1 ? read(addresses.getFirst()) : Optional.empty();
        } catch (CertificateParsingException e) {
            return Optional.empty();
        }
    }

    private static Optional<NodeName> read(String address) {
        Matcher matcher = ADDRESS.matcher(address);
        if (!matcher.matches()) {
            return Optional.empty();
        }
        try {
            return Role.ofWord(matcher.group(2))
                    .map(role ->
                            new NodeName(
                                    matcher.group(1),
                                    role,
                                    matcher.group(3),
                                    Long.parseUnsignedLong(matcher.group(4), 16)));
        } catch (IllegalArgumentException e) {
            return Optional.empty();
        }
    }

    /** As sentences name it. */
    @Override
    public String toString() {
        return role.word() + " " + id;
    }
}
