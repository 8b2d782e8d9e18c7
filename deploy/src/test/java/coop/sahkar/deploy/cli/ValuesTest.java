package coop.sahkar.deploy.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine.TypeConversionException;

class ValuesTest {

    @ParameterizedTest
    @CsvSource({
        "8G, 8589934592",
        "512m, 536870912",
        "1.5GiB, 1610612736",
        "1156705888, 1156705888",
        "2kb, 2048"
    })
    void memoryIsReadAsPeopleWriteIt(String text, long bytes) {
        assertThat(new MemorySize.Converter().convert(text).bytes()).isEqualTo(bytes);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "0", "-1G", "8X", "lots", "99999999999G"})
    void otherMemoryIsRefused(String text) {
        assertThatThrownBy(() -> new MemorySize.Converter().convert(text))
                .isInstanceOf(TypeConversionException.class);
    }

    @ParameterizedTest
    @CsvSource({
        "127.0.0.1:7311, 127.0.0.1:7311, true",
        "[::1]:0, [::1]:0, true",
        "localhost:80, localhost:80, true",
        "0.0.0.0:7311, 0.0.0.0:7311, false"
    })
    void endpointsAreRead(String text, String shown, boolean loopback) {
        Endpoint endpoint = new Endpoint.Converter().convert(text);
        assertThat(endpoint).hasToString(shown);
        assertThat(endpoint.loopback()).isEqualTo(loopback);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "host", ":80", "host:x", "host:70000", "host:-1"})
    void otherEndpointsAreRefused(String text) {
        assertThatThrownBy(() -> new Endpoint.Converter().convert(text))
                .isInstanceOf(TypeConversionException.class)
                .hasMessageContaining("HOST:PORT");
    }
}
