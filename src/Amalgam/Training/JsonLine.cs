using System.Text;
using System.Text.Json;

namespace Amalgam.Training;

/// <summary>JSON as one line of text.</summary>
internal static class JsonLine
{
    /// <summary>The text of what is written.</summary>
    public static string Of(Action<Utf8JsonWriter> write)
    {
        using MemoryStream stream = new();
        using (Utf8JsonWriter json = new(stream)) write(json);
        return Encoding.UTF8.GetString(stream.ToArray());
    }
}
