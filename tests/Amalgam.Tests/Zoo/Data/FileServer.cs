using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.RegularExpressions;

namespace Amalgam.Tests.Zoo.Data;

/// <summary>An HTTP server on this machine that gives the same bytes at every address, whole or from a byte on, and breaks off where it is told to.</summary>
internal sealed class FileServer : IDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly byte[] _content;

    public FileServer(byte[] content)
    {
        _content = content;
        _listener.Start();
        _ = Serve();
    }

    public string Address => $"http://127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}/";

    public HttpStatusCode Status { get; init; } = HttpStatusCode.OK;

    public bool HasRanges { get; init; } = true;

    public int? CutAfter { get; set; }

    public int Requests { get; private set; }

    public string? LastRange { get; private set; }

    public void Dispose() => _listener.Stop();

    private async Task Serve()
    {
        try
        {
            while (true)
            {
                TcpClient client = await _listener.AcceptTcpClientAsync();
                _ = Answer(client);
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
        }
    }

    /// <summary>A client that goes away, or connects and asks for nothing, keeps nobody else waiting.</summary>
    private async Task Answer(TcpClient client)
    {
        using (client)
        {
            try
            {
                await Answer(client.GetStream());
            }
            catch (IOException)
            {
            }
        }
    }

    private async Task Answer(NetworkStream stream)
    {
        StringBuilder request = new();
        byte[] buffer = new byte[4096];
        while (!request.ToString().Contains("\r\n\r\n"))
        {
            int read = await stream.ReadAsync(buffer);
            if (read == 0) return;
            request.Append(Encoding.ASCII.GetString(buffer, 0, read));
        }

        Requests++;
        Match range = Regex.Match(request.ToString(), @"Range: (bytes=(\d+)-)", RegexOptions.IgnoreCase);
        LastRange = range.Success ? range.Groups[1].Value : null;
        int from = range.Success && HasRanges ? int.Parse(range.Groups[2].Value) : 0;
        if (from > 0 && from >= _content.Length)
        {
            await Write($"HTTP/1.1 416 Range Not Satisfiable\r\nContent-Range: bytes */{_content.Length}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
            return;
        }

        string status = Status != HttpStatusCode.OK ? $"{(int)Status} {Status}" : from > 0 ? "206 Partial Content" : "200 OK";
        string part = from > 0 ? $"Content-Range: bytes {from}-{_content.Length - 1}/{_content.Length}\r\n" : "";
        await Write($"HTTP/1.1 {status}\r\nContent-Length: {_content.Length - from}\r\n{part}Connection: close\r\n\r\n");
        await stream.WriteAsync(_content.AsMemory(from, CutAfter ?? _content.Length - from));

        async Task Write(string head) => await stream.WriteAsync(Encoding.ASCII.GetBytes(head));
    }
}
