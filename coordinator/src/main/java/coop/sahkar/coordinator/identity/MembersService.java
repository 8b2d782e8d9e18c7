package coop.sahkar.coordinator.identity;

import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import coop.sahkar.coordinator.state.Command;
import coop.sahkar.coordinator.state.Command.EnrolNode;
import coop.sahkar.coordinator.state.Command.IssueToken;
import coop.sahkar.coordinator.state.Command.RevokeNode;
import coop.sahkar.coordinator.state.Encoded;
import coop.sahkar.coordinator.state.JoinTokenRecord;
import coop.sahkar.coordinator.state.LogUnavailableException;
import coop.sahkar.coordinator.state.Membership;
import coop.sahkar.coordinator.state.MembershipRules;
import coop.sahkar.coordinator.state.NodeRecord;
import coop.sahkar.coordinator.state.Refusal;
import coop.sahkar.coordinator.state.ReplicatedLog;
import coop.sahkar.proto.tls.CertificateAuthority;
import coop.sahkar.proto.tls.JoinToken;
import coop.sahkar.proto.tls.NodeKey;
import coop.sahkar.proto.tls.NodeName;
import coop.sahkar.proto.tls.Role;
import coop.sahkar.proto.v1.CertificateReply;
import coop.sahkar.proto.v1.CertificateRequest;
import coop.sahkar.proto.v1.CertificateWish;
import coop.sahkar.proto.v1.IdentityGrpc;
import coop.sahkar.proto.v1.ListNodesReply;
import coop.sahkar.proto.v1.ListNodesRequest;
import coop.sahkar.proto.v1.NodeEntry;
import coop.sahkar.proto.v1.NodeReference;
import coop.sahkar.proto.v1.RevokeReply;
import coop.sahkar.proto.v1.TokenEntry;
import coop.sahkar.proto.v1.TokenReply;
import coop.sahkar.proto.v1.TokenRequest;
import io.grpc.Status;
import io.grpc.stub.StreamObserver;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.PublicKey;
import java.security.SecureRandom;
import java.security.cert.CertificateEncodingException;
import java.security.cert.X509Certificate;
import java.security.interfaces.ECPublicKey;
import java.security.spec.X509EncodedKeySpec;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import java.util.function.Supplier;

/**
 * Makes certificates, tokens and revocations. Joining and renewing may be asked for by anybody:
 * both are bounded, and nothing is written to the log before a token, or a key, has been found
 * right.
 */
public final class MembersService extends IdentityGrpc.IdentityImplBase {
    /** Bytes of a request to join. */
    public static final int MAX_REQUEST_BYTES = 16 * 1024;

    private static final int AT_ONCE = 8;

    /** Beside those: donors often start many machines at one time. */
    private static final int WAITING = 64;

    private static final int WAIT_MILLIS = 5_000;
    private static final int MAX_HOSTS = 16;
    private static final int MAX_HOST_CHARS = 253;
    private static final int MAX_MINUTES = 60 * 24 * 30;
    private static final int KEY_BITS = 256;
    private static final int SHOWN_KEY_BYTES = 8;

    private final CoordinatorIdentity identity;
    private final ReplicatedLog log;
    private final Supplier<List<String>> coordinators;
    private final LongSupplier unixMillis;
    private final SecureRandom random;
    private final long lifetimeMillis;
    private final Semaphore free = new Semaphore(AT_ONCE);
    private final Semaphore places = new Semaphore(AT_ONCE + WAITING);

    /**
     * @param coordinators every gateway, host:port, as told to nodes
     */
    public MembersService(
            CoordinatorIdentity identity,
            ReplicatedLog log,
            Supplier<List<String>> coordinators,
            LongSupplier unixMillis,
            SecureRandom random) {
        this(
                identity,
                log,
                coordinators,
                unixMillis,
                random,
                CertificateAuthority.USUAL_LIFETIME_MILLIS);
    }

    MembersService(
            CoordinatorIdentity identity,
            ReplicatedLog log,
            Supplier<List<String>> coordinators,
            LongSupplier unixMillis,
            SecureRandom random,
            long lifetimeMillis) {
        this.identity = identity;
        this.log = log;
        this.coordinators = coordinators;
        this.unixMillis = unixMillis;
        this.random = random;
        this.lifetimeMillis = lifetimeMillis;
    }

    @Override
    public void join(CertificateRequest request, StreamObserver<CertificateReply> answer) {
        bounded(
                answer,
                () -> {
                    if (request.getSecret().size() != JoinToken.SECRET_BYTES) {
                        throw refused(Status.INVALID_ARGUMENT, "that is no token to join with");
                    }
                    String hash =
                            HexFormat.of()
                                    .formatHex(JoinToken.hash(request.getSecret().toByteArray()));
                    CertificateWish wish = wish(request);
                    NodeRecord node = node(wish);
                    EnrolNode enrol = new EnrolNode(node, hash);
                    CertificateAuthority authority = authority();
                    MembershipRules.problem(log.state().members(), enrol)
                            .ifPresent(MembersService::fail);
                    propose(enrol);
                    return certificate(authority, node, wish);
                });
    }

    @Override
    public void renew(CertificateRequest request, StreamObserver<CertificateReply> answer) {
        bounded(
                answer,
                () -> {
                    CertificateWish wish = wish(request);
                    Role role = Role.fromWire(wish.getRole());
                    NodeRecord known =
                            log.state().members().nodes().get(NodeRecord.key(role, wish.getId()));
                    if (known == null
                            || !known.nodeKey()
                                    .equals(new Encoded(wish.getNodeKey().toByteArray()))) {
                        throw refused(
                                Status.UNAUTHENTICATED,
                                "%s %s does not belong to the co-operative, or not any more: join with a token"
                                        .formatted(role.word(), wish.getId()));
                    }
                    return certificate(authority(), known, wish);
                });
    }

    private NodeRecord node(CertificateWish wish) {
        Role role = Role.fromWire(wish.getRole());
        NodeName name =
                NodeName.of(
                        authority().coop(), role, wish.getId(), wish.getNodeKey().toByteArray());
        return new NodeRecord(
                role,
                name.id(),
                name.enrolment(),
                new Encoded(wish.getNodeKey().toByteArray()),
                unixMillis.getAsLong());
    }

    private CertificateAuthority authority() {
        return identity.authority()
                .orElseThrow(() ->
                        refused(
                                Status.FAILED_PRECONDITION,
                                "this coordinator does not have the key that makes certificates; ask the one where the co-operative was founded"));
    }

    private static CertificateWish wish(CertificateRequest request) {
        try {
            byte[] bytes = request.getWish().toByteArray();
            CertificateWish wish = CertificateWish.parseFrom(bytes);
            boolean hosts =
                    wish.getHostsCount() <= MAX_HOSTS
                            && wish.getHostsList().stream()
                                    .allMatch(h ->
                                            h.length() <= MAX_HOST_CHARS
                                                    && h.matches("[A-Za-z0-9.:-]+"))
                            && (wish.getHostsCount() == 0
                                    || Role.fromWire(wish.getRole()) == Role.COORDINATOR);
            if (!hosts) {
                throw refused(Status.INVALID_ARGUMENT, "a coordinator has at most 16 host names");
            }
            if (!NodeKey.verifies(
                    wish.getNodeKey().toByteArray(), bytes, request.getSignature().toByteArray())) {
                throw refused(
                        Status.INVALID_ARGUMENT, "the request is not signed with the node's key");
            }
            return wish;
        } catch (InvalidProtocolBufferException e) {
            throw refused(Status.INVALID_ARGUMENT, "the request is garbled");
        }
    }

    private CertificateReply certificate(
            CertificateAuthority authority, NodeRecord node, CertificateWish wish)
            throws GeneralSecurityException {
        NodeName name = new NodeName(authority.coop(), node.role(), node.id(), node.number());
        X509Certificate made =
                authority.issue(
                        name,
                        tlsKey(wish.getTlsKey().toByteArray()),
                        wish.getHostsList(),
                        unixMillis.getAsLong(),
                        lifetimeMillis);
        return CertificateReply.newBuilder()
                .addCertificates(encoded(made))
                .addCertificates(encoded(authority.certificate()))
                .addAllCoordinators(coordinators.get())
                .build();
    }

    private static ByteString encoded(X509Certificate certificate)
            throws CertificateEncodingException {
        return ByteString.copyFrom(certificate.getEncoded());
    }

    private static PublicKey tlsKey(byte[] bytes) throws GeneralSecurityException {
        PublicKey key = KeyFactory.getInstance("EC").generatePublic(new X509EncodedKeySpec(bytes));
        if (!(key instanceof ECPublicKey curve)
                || curve.getParams().getOrder().bitLength() != KEY_BITS) {
            throw refused(Status.INVALID_ARGUMENT, "a certificate is for a P-256 key");
        }
        return key;
    }

    @Override
    public void issueToken(TokenRequest request, StreamObserver<TokenReply> answer) {
        bounded(
                answer,
                () -> {
                    var _ = authority(); // a token that nobody honours helps nobody
                    int minutes = request.getMinutes();
                    if (minutes < 1 || minutes > MAX_MINUTES) {
                        throw refused(
                                Status.INVALID_ARGUMENT,
                                "a token lasts 1 to %d minutes".formatted(MAX_MINUTES));
                    }
                    byte[] secret = new byte[JoinToken.SECRET_BYTES];
                    random.nextBytes(secret);
                    long now = unixMillis.getAsLong();
                    propose(
                            new IssueToken(
                                    new JoinTokenRecord(
                                            HexFormat.of().formatHex(JoinToken.hash(secret)),
                                            Role.fromWire(request.getRole()),
                                            request.getUses(),
                                            now + TimeUnit.MINUTES.toMillis(minutes)),
                                    now));
                    return TokenReply.newBuilder()
                            .setSecret(ByteString.copyFrom(secret))
                            .addAllCoordinators(coordinators.get())
                            .build();
                });
    }

    @Override
    public void revoke(NodeReference request, StreamObserver<RevokeReply> answer) {
        bounded(
                answer,
                () -> {
                    long now = unixMillis.getAsLong();
                    propose(
                            new RevokeNode(
                                    Role.fromWire(request.getRole()),
                                    request.getId(),
                                    now,
                                    now + lifetimeMillis));
                    return RevokeReply.getDefaultInstance();
                });
    }

    @Override
    public void list(ListNodesRequest request, StreamObserver<ListNodesReply> answer) {
        bounded(
                answer,
                () -> {
                    Membership members = log.state().members();
                    long now = unixMillis.getAsLong();
                    ListNodesReply.Builder reply =
                            ListNodesReply.newBuilder().setRevoked(members.revoked().size());
                    members.nodes().values().forEach(node -> reply.addNodes(entry(node)));
                    members.tokens().values().stream()
                            .filter(token -> token.expiresAtMillis() > now)
                            .forEach(token ->
                                    reply.addTokens(
                                            TokenEntry.newBuilder()
                                                    .setRole(token.role().toWire())
                                                    .setUsesLeft(token.usesLeft())
                                                    .setExpiresAtMillis(token.expiresAtMillis())));
                    return reply.build();
                });
    }

    private static NodeEntry entry(NodeRecord node) {
        byte[] hash = JoinToken.hash(node.nodeKey().bytes());
        return NodeEntry.newBuilder()
                .setNode(NodeReference.newBuilder().setRole(node.role().toWire()).setId(node.id()))
                .setJoinedAtMillis(node.joinedAtMillis())
                .setKeyHash(ByteString.copyFrom(Arrays.copyOf(hash, SHOWN_KEY_BYTES)))
                .build();
    }

    private void propose(Command command) {
        try {
            log.propose(command).ifPresent(MembersService::fail);
        } catch (LogUnavailableException e) {
            throw refused(Status.UNAVAILABLE, String.valueOf(e.getMessage()));
        }
    }

    private static void fail(Refusal refusal) {
        Status status =
                switch (refusal.reason()) {
                    case INVALID -> Status.INVALID_ARGUMENT;
                    case NOT_FOUND -> Status.UNAUTHENTICATED;
                    case STALE -> Status.ABORTED;
                    case FULL -> Status.RESOURCE_EXHAUSTED;
                };
        throw refused(status, refusal.message());
    }

    private static RuntimeException refused(Status status, String sentence) {
        return status.withDescription(sentence).asRuntimeException();
    }

    /** What a call comes to. */
    @FunctionalInterface
    private interface Work<A> {
        A run() throws GeneralSecurityException;
    }

    private <A> void bounded(StreamObserver<A> answer, Work<A> work) {
        if (!places.tryAcquire()) {
            answer.onError(busy());
            return;
        }
        try {
            inTurn(answer, work);
        } finally {
            places.release();
        }
    }

    private <A> void inTurn(StreamObserver<A> answer, Work<A> work) {
        try {
            if (!free.tryAcquire(WAIT_MILLIS, TimeUnit.MILLISECONDS)) {
                answer.onError(busy());
                return;
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            answer.onError(busy());
            return;
        }
        try {
            A said = work.run();
            answer.onNext(said);
            answer.onCompleted();
        } catch (GeneralSecurityException | IllegalArgumentException e) {
            answer.onError(refused(Status.INVALID_ARGUMENT, String.valueOf(e.getMessage())));
        } catch (RuntimeException e) {
            answer.onError(e);
        } finally {
            free.release();
        }
    }

    private static RuntimeException busy() {
        return refused(Status.RESOURCE_EXHAUSTED, "too many ask at once; try again");
    }
}
