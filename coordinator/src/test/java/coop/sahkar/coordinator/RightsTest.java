package coop.sahkar.coordinator;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import coop.sahkar.coordinator.accounts.HostKey;
import coop.sahkar.proto.tls.Role;
import coop.sahkar.proto.v1.AccountsGrpc;
import coop.sahkar.proto.v1.BackupRequest;
import coop.sahkar.proto.v1.ClusterGrpc;
import coop.sahkar.proto.v1.GroupMember;
import coop.sahkar.proto.v1.GroupRequest;
import coop.sahkar.proto.v1.JoinRequest;
import coop.sahkar.proto.v1.LedgerGrpc;
import coop.sahkar.proto.v1.LedgerRequest;
import coop.sahkar.proto.v1.LimitsGrpc;
import coop.sahkar.proto.v1.ListKeysRequest;
import coop.sahkar.proto.v1.RemoveRequest;
import coop.sahkar.proto.v1.TakeRequest;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.MetadataUtils;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What coordinators, workers and users may ask of a gateway with certificates. */
class RightsTest extends FoundedTest {
    private static Status.Code refusal(Runnable call) {
        try {
            call.run();
            return Status.Code.OK;
        } catch (StatusRuntimeException e) {
            return e.getStatus().getCode();
        }
    }

    @Test
    void whoIsACoordinatorIsForCoordinatorsToChange() throws Exception {
        RemoveRequest remove = RemoveRequest.newBuilder().setId("c9").build();
        var worker = ClusterGrpc.newBlockingStub(channel(joined("w1")));
        var user = ClusterGrpc.newBlockingStub(channel(user()));
        assertThat(refusal(() -> worker.remove(remove))).isEqualTo(Status.Code.PERMISSION_DENIED);
        assertThat(refusal(() -> user.remove(remove))).isEqualTo(Status.Code.UNAUTHENTICATED);
        assertThat(refusal(() -> user.backup(BackupRequest.getDefaultInstance()).next()))
                .isEqualTo(Status.Code.UNAUTHENTICATED);
        assertThat(refusal(() -> user.join(JoinRequest.getDefaultInstance())))
                .isEqualTo(Status.Code.UNAUTHENTICATED);
        assertThat(refusal(() -> ClusterGrpc.newBlockingStub(channel(operator)).remove(remove)))
                .isEqualTo(Status.Code.NOT_FOUND);
        assertThat(user.group(GroupRequest.getDefaultInstance()).getMembersList()).hasSize(1);
        assertThat(
                        refusal(() ->
                                LimitsGrpc.newBlockingStub(channels.getFirst())
                                        .take(TakeRequest.getDefaultInstance())))
                .isNotEqualTo(Status.Code.OK);
    }

    @Test
    void usersReadTheBooksAndShowKeysForTheRest() throws Exception {
        ManagedChannel user = channel(user());
        assertThat(
                        LedgerGrpc.newBlockingStub(user)
                                .read(LedgerRequest.getDefaultInstance())
                                .hasNext())
                .isTrue();
        assertThat(
                        refusal(() ->
                                AccountsGrpc.newBlockingStub(user)
                                        .listKeys(ListKeysRequest.getDefaultInstance())))
                .isEqualTo(Status.Code.PERMISSION_DENIED);
        Metadata key = new Metadata();
        key.put(
                Metadata.Key.of("authorization", Metadata.ASCII_STRING_MARSHALLER),
                "Bearer " + HostKey.read(data).orElseThrow());
        assertThat(
                        AccountsGrpc.newBlockingStub(user)
                                .withInterceptors(MetadataUtils.newAttachHeadersInterceptor(key))
                                .listKeys(ListKeysRequest.getDefaultInstance())
                                .getKeysList())
                .isEmpty();
    }

    @Test
    void aCoordinatorJoinsWithACertificateOnly() throws Exception {
        String through = "127.0.0.1:" + gateway.port();
        coordinator.announce(through);
        CoordinatorOptions options =
                CoordinatorOptions.single("c2", directory.resolve("c2")).joining(through);
        assertThatThrownBy(() -> Coordinator.start(options))
                .isInstanceOf(CoordinatorException.class)
                .hasMessageContaining("join its co-operative first");
        joining("c2").join(token(Role.COORDINATOR, 1), "c2", List.of());
        try (Coordinator second = Coordinator.start(options)) {
            assertThat(second.pool().state().members().nodes()).hasSize(2);
            assertThat(
                            ClusterGrpc.newBlockingStub(channel(operator))
                                    .group(GroupRequest.getDefaultInstance())
                                    .getMembersList())
                    .extracting(GroupMember::getId)
                    .containsExactly("c1", "c2");
        }
    }
}
