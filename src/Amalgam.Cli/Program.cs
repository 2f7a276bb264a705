Console.WriteLine("amalgam");
