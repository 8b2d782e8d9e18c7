package coop.sahkar.deploy.cli;

import coop.sahkar.proto.tls.Credentials;
import coop.sahkar.proto.tls.IdentityException;
import coop.sahkar.proto.tls.NodeFolder;
import coop.sahkar.proto.tls.NodeTls;
import coop.sahkar.proto.tls.Transport;
import java.nio.file.Path;
import java.time.ZoneId;
import java.util.List;
import java.util.Optional;

/** The certificate in a node's data folder, as commands see it. */
record Membership(NodeFolder folder, Optional<Credentials> credentials) {
    /**
     * Reads it.
     *
     * @throws CommandFailure in a sentence, if it is there and cannot be read
     */
    static Membership in(Path data) {
        NodeFolder folder = NodeFolder.in(data);
        try {
            return new Membership(folder, folder.credentials());
        } catch (IdentityException e) {
            throw failure(e);
        }
    }

    /** Whether the node has joined a co-operative. */
    boolean present() {
        return credentials.isPresent();
    }

    /** Where coordinators were reached when it joined. */
    List<String> coordinators() {
        try {
            return folder.coordinators();
        } catch (IdentityException e) {
            throw failure(e);
        }
    }

    /** The certificate of its co-operative, which is for everyone. */
    Path publicCertificate() {
        return folder.publicCertificate();
    }

    /** How the node speaks with others. */
    Transport transport() {
        return credentials
                .map(own -> Transport.of(new NodeTls(own, System::currentTimeMillis)))
                .orElse(Transport.OPEN);
    }

    /** One line about it. */
    String described() {
        return credentials
                .map(own ->
                        "TLS, as %s of %s; certificate until %s, renewed by itself"
                                .formatted(
                                        own.name(),
                                        own.name().coop(),
                                        own.certificate()
                                                .getNotAfter()
                                                .toInstant()
                                                .atZone(ZoneId.systemDefault())
                                                .toLocalDate()))
                .orElse("none");
    }

    static CommandFailure failure(IdentityException e) {
        String sentence = String.valueOf(e.getMessage());
        return new CommandFailure(
                ExitCode.FAILED,
                Character.toUpperCase(sentence.charAt(0)) + sentence.substring(1) + ".",
                e);
    }
}
